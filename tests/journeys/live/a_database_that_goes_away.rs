use anyhow::{anyhow, ensure};
use processor_tests::{DeviceNaming, Processor, Signal, eventually, records};

use super::LiveStage;
use super::live_stage::{ANN, OTHER_RALLY, RALLY, SHOWN, ann, devices, moves};
use crate::{Load, SOON, Stage};

/// The cars of the one event move; those of the other were last heard of in an earlier life of the program, so that
/// only the table knows of them.
#[tokio::test(flavor = "multi_thread")]
async fn takes_nothing_from_the_map_but_what_only_it_knows() -> anyhow::Result<()> {
    let live = LiveStage::on(Stage::with_its_own_database().await?, DeviceNaming::ByKey).await?;
    live.directus.allow(ANN, OTHER_RALLY);
    let devices = devices(150);
    let (moving, resting) = devices.split_at(100);
    live.tables.enter(RALLY, moving.iter().copied()).await?;
    live.tables.enter(OTHER_RALLY, resting.iter().copied()).await?;
    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    ledger.publish(&mut redis, records(150, 1).skip(100)).await?;
    let mut before = live.processor().start().await?;
    live.stage.settled(&ledger).await;
    let rested_at = live.whereabouts(resting.iter().copied()).await?;
    ensure!(rested_at.len() == 50);
    before.signal(Signal::SIGTERM)?;
    ensure!(before.wait_exit(SOON).await? == 0);

    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let mut viewer = ann(&processor).await.watch(&[RALLY]).await?;
    let load = Load::on(&live.stage);
    viewer.until(SHOWN, "every car moves", |viewer| moves(viewer) >= 100).await?;

    live.stage.timescale.kill().await?;
    eventually(SOON, "the program says that it is not ready", async || not_ready(&processor).await).await;
    let seen = moves(&viewer);
    viewer.until(SHOWN, "cars go on", |viewer| moves(viewer) > seen + 1_000).await?;
    let mut newcomer = ann(&processor).await.watch(&[RALLY, OTHER_RALLY]).await?;
    ensure!(newcomer.picture(RALLY)?.complete(), "all that moves is known without it");
    ensure!(newcomer.picture(RALLY)?.cars().len() == 100);
    ensure!(!newcomer.picture(OTHER_RALLY)?.complete(), "only the table knows where they are");
    ensure!(newcomer.picture(OTHER_RALLY)?.cars().is_empty());

    live.stage.timescale.restart().await?;
    newcomer.until_cars_are(SOON, OTHER_RALLY, &rested_at).await?;
    let sent = load.end().await?;
    let (given, earlier) = (sent.given(), ledger.given());
    eventually(SOON, "all is in the table", async || match live.stage.rows().await {
        Ok(rows) if usize::try_from(rows) == Ok(given + earlier) => Ok(()),
        other => Err(other),
    })
    .await;
    let expected = live.whereabouts(moving.iter().copied()).await?;
    viewer.until_cars_are(SHOWN, RALLY, &expected).await?;
    newcomer.until_cars_are(SHOWN, RALLY, &expected).await
}

async fn not_ready(processor: &Processor) -> anyhow::Result<()> {
    if processor.ready().await? { Err(anyhow!("it says that it is ready")) } else { Ok(()) }
}
