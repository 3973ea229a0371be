use anyhow::ensure;
use processor_tests::{Processor, Signal, records};

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices};
use crate::SOON;

/// They share what is to be written; what is to be seen, each of them sees all of. Whoever is told by one that it stops
/// goes on at the other.
#[tokio::test(flavor = "multi_thread")]
async fn show_the_same_to_their_viewers() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(50);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let instance = async |name: &str| -> anyhow::Result<Processor> {
        let processor = live.processor().env("INSTANCE_ID", name).start().await?;
        processor.until_ready(SOON).await;
        Ok(processor)
    };
    let (mut first, second) = (instance("first").await?, instance("second").await?);
    let mut of_first = ann(&first).await.watch(&[RALLY]).await?;
    let mut of_second = ann(&second).await.watch(&[RALLY]).await?;
    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut sent = records(50, 40);
    for _ in 0..20 {
        ledger.publish(&mut redis, sent.by_ref().take(50)).await?;
    }
    live.stage.settled(&ledger).await;
    let expected = live.whereabouts(cars.iter().copied()).await?;
    of_first.until_cars_are(SHOWN, RALLY, &expected).await?;
    of_second.until_cars_are(SHOWN, RALLY, &expected).await?;

    first.signal(Signal::SIGTERM)?;
    ensure!(of_first.closed(SOON).await?.0 == 1001);
    ensure!(first.wait_exit(SOON).await? == 0);
    ledger.publish(&mut redis, sent).await?;
    let mut moved = ann(&second).await.enter().await?.remember(of_first);
    moved.resume(RALLY).await?;
    ensure!(!moved.picture(RALLY)?.recovered(), "the other instance does not count its frames");
    live.stage.settled(&ledger).await;
    let expected = live.whereabouts(cars).await?;
    moved.until_cars_are(SHOWN, RALLY, &expected).await?;
    of_second.until_cars_are(SHOWN, RALLY, &expected).await
}
