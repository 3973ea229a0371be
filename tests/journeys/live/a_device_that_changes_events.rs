use anyhow::Context;
use processor_tests::{DeviceNaming, records};

use super::LiveStage;
use super::live_stage::{ANN, OTHER_RALLY, RALLY, SHOWN, ann, devices};
use crate::{SOON, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn is_gone_from_the_one_and_seen_in_the_other() -> anyhow::Result<()> {
    change_events(DeviceNaming::ByKey).await
}

#[tokio::test(flavor = "multi_thread")]
async fn does_so_where_entries_name_it_by_imei() -> anyhow::Result<()> {
    change_events(DeviceNaming::ByImei).await
}

async fn change_events(naming: DeviceNaming) -> anyhow::Result<()> {
    let live = LiveStage::on(Stage::new().await?, naming).await?;
    live.directus.allow(ANN, OTHER_RALLY);
    let devices = devices(3);
    let [mover, here, there] = devices.try_into().ok().context("three devices")?;
    live.tables.enter(RALLY, [mover, here]).await?;
    live.tables.enter(OTHER_RALLY, [there]).await?;
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let mut of_rally = ann(&processor).await.watch(&[RALLY]).await?;
    let mut of_other = ann(&processor).await.watch(&[OTHER_RALLY]).await?;

    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    ledger.publish(&mut redis, records(3, 1)).await?;
    live.stage.settled(&ledger).await;
    of_rally.until_cars_are(SHOWN, RALLY, &live.whereabouts([mover, here]).await?).await?;
    of_other.until_cars_are(SHOWN, OTHER_RALLY, &live.whereabouts([there]).await?).await?;

    // It is told of without its having moved.
    live.tables.transfer(mover, RALLY, OTHER_RALLY).await?;
    of_rally.until_cars_are(SHOWN, RALLY, &live.whereabouts([here]).await?).await?;
    of_other.until_cars_are(SHOWN, OTHER_RALLY, &live.whereabouts([mover, there]).await?).await?;

    ledger.publish(&mut redis, records(3, 2).skip(3)).await?;
    live.stage.settled(&ledger).await;
    of_rally.until_cars_are(SHOWN, RALLY, &live.whereabouts([here]).await?).await?;
    of_other.until_cars_are(SHOWN, OTHER_RALLY, &live.whereabouts([mover, there]).await?).await
}
