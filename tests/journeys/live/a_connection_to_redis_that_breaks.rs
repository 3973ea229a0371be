use std::time::Duration;

use anyhow::ensure;
use processor_tests::{Proxy, Sample, records};
use tokio::time::{Instant, interval};

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices};
use crate::SOON;

/// Every car is heard of once, so that nothing makes up for a record that is missed.
const CARS: u32 = 400;
/// After this time the picture is compared with the store, which would hide what was missed.
const COMPARED: Duration = Duration::from_secs(55);

#[tokio::test(flavor = "multi_thread")]
async fn hides_nothing_from_those_who_watch() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(CARS);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let network = Proxy::to(live.stage.redis.url())?;
    let began = Instant::now();
    let processor = live.processor().env("REDIS_URL", network.url()).start().await?;
    processor.until_ready(SOON).await;
    let mut viewer = ann(&processor).await.watch(&[RALLY]).await?;

    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut ticks = interval(Duration::from_millis(50));
    let mut sending: Vec<Vec<Sample>> = Vec::new();
    let mut all = records(CARS, 1).peekable();
    while all.peek().is_some() {
        sending.push(all.by_ref().take(5).collect());
    }
    let (first, second) = sending.split_at(sending.len() / 2);
    for (number, few) in first.iter().enumerate() {
        ticks.tick().await;
        if number % 7 == 3 {
            network.cut();
        }
        ledger.publish(&mut redis, few.iter().cloned()).await?;
    }
    viewer.until(SHOWN, "every car that was heard of", |viewer| seen(viewer) == first.len() * 5).await?;

    network.refuse().await;
    network.cut();
    for (number, few) in second.iter().enumerate() {
        ticks.tick().await;
        if number == second.len() / 2 {
            network.accept().await?;
        }
        ledger.publish(&mut redis, few.iter().cloned()).await?;
    }
    viewer.until(SHOWN, "every car", |viewer| seen(viewer) == CARS as usize).await?;
    ensure!(began.elapsed() < COMPARED, "it took too long to prove anything: {:?}", began.elapsed());
    live.stage.settled(&ledger).await;
    viewer.until_cars_are(SHOWN, RALLY, &live.whereabouts(cars).await?).await
}

fn seen(viewer: &processor_tests::Viewer) -> usize {
    viewer.picture(RALLY).map_or(0, |picture| picture.cars().len())
}
