use std::time::Duration;

use anyhow::ensure;
use processor_domain::DeviceId;
use processor_tests::{
    DeviceNaming, Processor, RedisCluster, RedisSentinels, RedisServer, Signal, TimescaleServer, Viewer,
    eventually, setting,
};
use tokio::time::Instant;

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices, moves};
use crate::counted::count_of;
use crate::load::Load;
use crate::{SOON, Stage};

/// Everything that is logged in such a story is less than this: a server that is away is no reason to go on about it.
const LINES: usize = 60;

/// Redis on several servers, with the program, somebody who watches, and devices that go on sending.
struct Story {
    live: LiveStage,
    cars: Vec<DeviceId>,
    processor: Processor,
    viewer: Viewer,
    load: Load,
}

impl Story {
    async fn begin(redis: RedisServer) -> anyhow::Result<Self> {
        let stage = Stage::on(redis, TimescaleServer::start().await?).await?;
        let live = LiveStage::on(stage, DeviceNaming::ByKey).await?;
        let cars = devices(100);
        live.tables.enter(RALLY, cars.iter().copied()).await?;
        let processor = live.processor().start().await?;
        processor.until_ready(SOON).await;
        let viewer = ann(&processor).await.watch(&[RALLY]).await?;
        let load = Load::on(&live.stage);
        let mut story = Self { live, cars, processor, viewer, load };
        story.until_it_goes_on("the beginning").await?;
        Ok(story)
    }

    /// What is sent from now on is stored, acknowledged and seen.
    async fn until_it_goes_on(&mut self, after: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        let seen = moves(&self.viewer);
        let counted = async |processor: &Processor| -> anyhow::Result<u64> {
            Ok(count_of(&processor.metrics().await?, "processor_acks_total").unwrap_or_default())
        };
        let before = counted(&self.processor).await?;
        let processor = &self.processor;
        let acknowledged = async {
            eventually(SOON, "acknowledging goes on", async || match counted(processor).await {
                // More than what may have been on its way.
                Ok(count) if count > before + 500 => Ok(()),
                other => Err(other),
            })
            .await;
            Ok(())
        };
        self.viewer.listen_during(SOON, acknowledged).await?;
        self.viewer.until(SOON, "cars that move", |viewer| moves(viewer) > seen + 500).await?;
        println!("after {after}: acknowledged and seen again within {:?}", began.elapsed());
        Ok(())
    }

    /// The program reads from the server that is the primary now.
    async fn until_it_reads_there(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let redis = &self.live.stage.redis;
        let moved = async {
            eventually(SOON, "the program reads from the primary", async || {
                let mut connection = redis.connection_for("").await?;
                let clients: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut connection).await?;
                ensure!(clients.contains("name=processor-1:reader "), "{clients}");
                anyhow::Ok(())
            })
            .await;
            Ok(())
        };
        self.viewer.listen_during(SOON, moved).await?;
        println!("read from the new primary within {:?}", began.elapsed());
        Ok(())
    }

    /// The account closes, the viewer sees what the table says, and little was made of it all.
    async fn end(mut self, forgotten: bool) -> anyhow::Result<()> {
        let stage = &self.live.stage;
        let mut ledger = self.viewer.listen_during(SOON, self.load.end()).await?;
        if forgotten {
            ledger.allow_forgotten();
            ledger.recount(&mut stage.redis.connection_for(&stage.stream).await?).await?;
        }
        let settled = Box::pin(async { Ok(stage.settled(&ledger).await) });
        let account = self.viewer.listen_during(Duration::from_mins(1), settled).await?;
        ensure!(account.rows == account.given, "{account:?}");
        let expected = self.live.whereabouts(self.cars).await?;
        self.viewer.until_cars_are(SHOWN, RALLY, &expected).await?;
        let lines = self.processor.lines();
        ensure!(lines.len() < LINES, "{} lines:\n{}", lines.len(), lines.join("\n"));
        drop(self.viewer);
        self.processor.signal(Signal::SIGTERM)?;
        ensure!(self.processor.wait_exit(SOON).await? == 0);
        Ok(())
    }
}

/// Sentinels make another server the primary, because they are asked to, and because it was killed.
#[tokio::test(flavor = "multi_thread")]
async fn sentinels_choose_another_primary() -> anyhow::Result<()> {
    let sentinels = RedisSentinels::start().await?;
    let mut story = Story::begin(sentinels.server()).await?;
    // The old one is not told for seconds, and goes on as if nothing had happened.
    story.viewer.listen_during(SOON, sentinels.fail_over()).await?;
    story.load.connect_anew();
    story.until_it_reads_there().await?;
    story.until_it_goes_on("a failover").await?;
    story.viewer.listen_during(SOON, sentinels.kill_primary()).await?;
    story.until_it_goes_on("a kill").await?;
    // Replicas follow their primary without its waiting for them.
    story.end(true).await
}

/// A replica takes the place of its primary, and the slot moves to another node: nothing may be missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_hands_the_stream_over() -> anyhow::Result<()> {
    Box::pin(hand_over(RedisCluster::start().await?)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_valkey_hands_the_stream_over() -> anyhow::Result<()> {
    let image = setting("PROCESSOR_TEST_VALKEY_IMAGE").unwrap_or_else(|| "processor-test/valkey:8".into());
    Box::pin(hand_over(RedisCluster::start_image(&image).await?)).await
}

async fn hand_over(cluster: RedisCluster) -> anyhow::Result<()> {
    let mut story = Story::begin(cluster.server()).await?;
    let stream = story.live.stage.stream.clone();
    story.viewer.listen_during(SOON, cluster.fail_over(&stream)).await?;
    story.until_it_goes_on("a failover").await?;
    let moving = story.viewer.listen_during(SOON, cluster.begin_to_move(&stream)).await?;
    let connection = story.live.stage.redis.connection_for(&stream).await?;
    ensure!(connection.asks(), "the stream's slot is not on its way");
    story.until_it_goes_on("the stream's keys went ahead of their slot").await?;
    moving.arrive().await?;
    story.until_it_goes_on("the slot arrived").await?;
    story.end(false).await
}

/// The node that has the stream is killed, and its replica takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_loses_the_node_that_has_the_stream() -> anyhow::Result<()> {
    let cluster = RedisCluster::start().await?;
    let mut story = Story::begin(cluster.server()).await?;
    let stream = story.live.stage.stream.clone();
    story.viewer.listen_during(SOON, cluster.kill_owner(&stream)).await?;
    story.until_it_goes_on("a kill").await?;
    story.end(true).await
}
