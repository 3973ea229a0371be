use std::time::Duration;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use processor_tests::Signal;
use redis::streams::StreamInfoGroupsReply;

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices, frames};
use crate::stage::GROUP;
use crate::{Load, SOON};

const VIEWERS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn tells_everybody_and_leaves_nothing_pending() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(100);
    live.tables.enter(RALLY, cars).await?;
    let mut processor = live.processor().env("LIVE_MAX_SOCKETS_PER_USER", "100").start().await?;
    processor.until_ready(SOON).await;
    let ann = ann(&processor).await;
    let load = Load::on(&live.stage);
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        viewers.push(ann.watch(&[RALLY]).await?);
    }
    for viewer in &mut viewers {
        viewer.until(SHOWN, "a frame", |viewer| frames(viewer) > 0).await?;
    }
    let closed: Vec<_> = viewers
        .into_iter()
        .map(|mut viewer| tokio::spawn(async move { viewer.closed(SOON).await }))
        .collect();
    let everybody = processor.metrics().await?.value("processor_live_subscriptions", &[]);
    ensure!(everybody == Some(VIEWERS as f64), "{everybody:?} watch");

    processor.signal(Signal::SIGTERM)?;
    let code = processor.wait_exit(Duration::from_secs(10)).await?;
    ensure!(code == 0, "ended with {code}");
    for closed in try_join_all(closed).await? {
        let closed = closed.context("a viewer that was told nothing")?;
        ensure!(closed == (1001, "going away".to_owned()), "{closed:?}");
    }
    load.end().await?;
    ensure!(live.stage.pending().await? == 0, "entries are pending after a stop");
    let groups: StreamInfoGroupsReply = live.stage.ask("XINFO GROUPS $stream").await?;
    let groups: Vec<&str> = groups.groups.iter().map(|group| group.name.as_str()).collect();
    ensure!(groups == [GROUP], "what was read with to watch is left behind: {groups:?}");
    Ok(())
}
