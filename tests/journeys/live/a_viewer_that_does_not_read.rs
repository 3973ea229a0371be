use std::time::Duration;

use anyhow::{bail, ensure};
use processor_tests::{Processor, eventually, records};
use tokio::time::interval;

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices};
use crate::SOON;

const CARS: u32 = 300;
const EVERY: Duration = Duration::from_millis(100);
/// Longest time that others may go without a frame.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// It is closed as too slow when patience is over. Until then and after it, all others are told as before; and it may
/// come back, and is told what it needs.
#[tokio::test(flavor = "multi_thread")]
async fn is_waited_for_by_nobody() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(CARS);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let builder =
        live.processor().env("LIVE_PATIENCE_MS", "2000").env("LOG_LEVEL", "info,processor_live=debug");
    let processor = builder.start().await?;
    processor.until_ready(SOON).await;
    let ann = ann(&processor).await;
    let mut other = ann.watch(&[RALLY]).await?;
    let mut stalled = ann.clone().with_receive_buffer(4 << 10).watch(&[RALLY]).await?;

    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut seconds = records(CARS, u32::MAX);
    let sending = async {
        let mut ticks = interval(EVERY);
        loop {
            ticks.tick().await;
            ledger.publish(&mut redis, seconds.by_ref().take(CARS as usize)).await?;
        }
    };
    let story = async {
        eventually(SOON, "it is closed", async || too_slow(&processor)).await;
        // Now it reads: what had been sent before, and then why it is closed.
        let closed = stalled.closed(SHOWN).await?;
        ensure!(closed == (4408, "too slow".to_owned()), "{closed:?}");
        let mut back = ann.enter().await?.remember(stalled);
        back.resume(RALLY).await?;
        let seen = back.picture(RALLY)?.frames();
        back.until(SHOWN, "frames", |viewer| viewer.picture(RALLY).is_ok_and(|now| now.frames() > seen + 5))
            .await?;
        anyhow::Ok(back)
    };
    let mut back = tokio::select! {
        ended = sending => { let ended: anyhow::Result<()> = ended; ended?; bail!("sending ended") }
        told = other.listen_during(LONGEST_PAUSE, story) => told?,
    };
    ensure!(other.picture(RALLY)?.conflated() == 0, "the other viewer was told less");
    // The last second was perhaps sent and not noted any more.
    ledger.recount(&mut redis).await?;
    live.stage.settled(&ledger).await;
    let expected = live.whereabouts(cars).await?;
    other.until_cars_are(SHOWN, RALLY, &expected).await?;
    back.until_cars_are(SHOWN, RALLY, &expected).await
}

fn too_slow(processor: &Processor) -> Result<(), usize> {
    let closed = processor.lines_with("closing a viewer's socket");
    match closed.iter().filter(|line| line.contains("4408")).count() {
        1 => Ok(()),
        other => Err(other),
    }
}
