use std::collections::BTreeSet;

use anyhow::ensure;
use processor_tests::{
    Account, Ledger, ProcessorBuilder, RedisCluster, Sample, Signal, TimescaleServer, records,
};

use crate::stage::GROUP;
use crate::{SOON, Stage};

const STREAMS: usize = 4;
/// Cars of each stream, which are in no other.
const CARS: usize = 50;
/// So many times that so many seconds are sent at once.
const PARTS: usize = 10;
const SECONDS: usize = 20;

/// Streams on several nodes are read by two instances, one of which is killed with entries in hand. Among the records are
/// some that cannot be positions: dead letters are kept too, each on a node of its own.
#[tokio::test(flavor = "multi_thread")]
async fn are_shared_by_instances_of_which_one_is_killed() -> anyhow::Result<()> {
    let cluster = RedisCluster::start().await?;
    let stage = Stage::on(cluster.server(), TimescaleServer::start().await?).await?;
    let streams: Vec<String> = (0..STREAMS).map(|number| format!("{}:{number}", stage.stream)).collect();
    let mut nodes = BTreeSet::new();
    for stream in &streams {
        nodes.insert(cluster.owner(stream).await?);
    }
    ensure!(nodes.len() > 1, "all streams are on one node: {streams:?}");
    let instance = |name: &str| -> ProcessorBuilder {
        let builder = stage.processor().env("INSTANCE_ID", name).env("REDIS_CLAIM_IDLE_MS", "2000");
        builder.env("REDIS_TELEMETRY_STREAM", streams.join(","))
    };
    let (one, two) = (instance("one"), instance("two"));
    let (mut one, mut two) = tokio::try_join!(one.start(), two.start())?;
    one.until_ready(SOON).await;
    two.until_ready(SOON).await;

    let mut ledgers: Vec<Ledger> = streams.iter().map(|stream| Ledger::of(stream).beside_others()).collect();
    for part in 0..PARTS {
        for (number, ledger) in ledgers.iter_mut().enumerate() {
            let mut connection = stage.redis.connection_for(&streams[number]).await?;
            ledger.publish(&mut connection, share(number, part)).await?;
        }
        if part == PARTS / 2 {
            two.kill().await?;
        }
    }
    for ledger in &ledgers {
        let account = ledger.until_settled(SOON, &stage.redis, &stage.database_url, GROUP).await;
        let (rows, dead_letters) = (CARS * SECONDS * PARTS, PARTS);
        let expected = Account { given: rows + dead_letters, rows, dead_letters, ..Account::default() };
        ensure!(account == expected, "{account:?}");
    }
    let rows = i64::try_from(STREAMS * CARS * SECONDS * PARTS)?;
    ensure!(stage.rows().await? == rows, "{} rows", stage.rows().await?);
    one.signal(Signal::SIGTERM)?;
    ensure!(one.wait_exit(SOON).await? == 0);
    Ok(())
}

/// What the cars of a stream send in one part, and one record that cannot be a position.
fn share(number: usize, part: usize) -> impl Iterator<Item = Sample> {
    let cars = u32::try_from(STREAMS * CARS).unwrap_or(u32::MAX);
    let seconds = u32::try_from(PARTS * SECONDS).unwrap_or(u32::MAX);
    let all = records(cars, seconds).enumerate();
    let own =
        all.filter(move |(at, _)| at / CARS % STREAMS == number && at / CARS / STREAMS / SECONDS == part);
    let poison = Sample::undecodable(format!("poison {part} of {number}").into_bytes());
    own.map(|(_, sample)| sample).chain([poison])
}
