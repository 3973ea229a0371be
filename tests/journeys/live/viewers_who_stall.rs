use anyhow::ensure;
use futures::future::try_join_all;
use processor_tests::{Viewer, Visitor, number, records, resident_bytes};

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices, frames, moves};
use crate::SOON;

const CARS: u32 = 100;
const VIEWERS: usize = 50;
/// Of them, so many do not read.
const STALLED: usize = VIEWERS / 10;
/// How much more memory there may be in the last third of the time than in the first: less than what was told in between.
const GROWTH: u64 = 8 << 20;

/// One viewer in ten does not read, and is not closed for it either. The others are told all, and the memory of the
/// program does not depend on how much that was: what was told in two thirds of the time would be seen in it if it were
/// kept only once.
///
/// `PROCESSOR_TEST_FRAMES` says how many frames at least.
#[tokio::test(flavor = "multi_thread")]
async fn cost_no_memory_however_much_is_told() -> anyhow::Result<()> {
    let wanted = number("PROCESSOR_TEST_FRAMES", 1_000)?;
    let live = LiveStage::new().await?;
    let cars = devices(CARS);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let builder = live.processor().env("LIVE_TICK_MS", "5").env("LIVE_PATIENCE_MS", "3600000");
    let processor = builder.env("LIVE_MAX_SOCKETS_PER_USER", VIEWERS.to_string()).start().await?;
    processor.until_ready(SOON).await;
    let ann = ann(&processor).await;
    let _stalled = watching(&ann.clone().with_receive_buffer(4 << 10), STALLED).await?;
    let mut witness = ann.watch(&[RALLY]).await?;
    let mut others = watching(&ann, VIEWERS - STALLED - 1).await?;

    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut seconds = records(CARS, u32::MAX);
    let (mut sent, mut memory) = (0, Vec::new());
    while frames(&witness) < wanted {
        ledger.publish(&mut redis, seconds.by_ref().take(CARS as usize)).await?;
        sent += u64::from(CARS);
        witness.until(SHOWN, "what was sent", |viewer| moves(viewer) >= sent).await?;
        let seq = witness.picture(RALLY)?.seq();
        try_join_all(others.iter_mut().map(|viewer| viewer.skim_until(SHOWN, RALLY, seq))).await?;
        memory.push(resident_bytes(processor.pid())?);
    }

    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let third = memory.len() / 3;
    let (first, last) = (most(&memory[..third]), most(&memory[memory.len() - third..]));
    ensure!(last < first + GROWTH, "memory grew from {first} to {last} bytes");
    let subscribed = processor.metrics().await?.value("processor_live_subscriptions", &[]);
    ensure!(subscribed == Some(VIEWERS as f64), "{subscribed:?} watch, of {VIEWERS}");
    live.stage.settled(&ledger).await;
    witness.until_cars_are(SHOWN, RALLY, &live.whereabouts(cars).await?).await
}

async fn watching(visitor: &Visitor, viewers: usize) -> anyhow::Result<Vec<Viewer>> {
    try_join_all((0..viewers).map(|_| visitor.watch(&[RALLY]))).await
}
