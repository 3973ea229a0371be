use std::time::Duration;

use anyhow::{bail, ensure};
use futures::future::try_join_all;
use processor_tests::{Processor, Viewer, Visitor, number, records};

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices, moves};
use crate::SOON;

const CARS: u32 = 20;
/// What a slow one reads in a second.
const SLOW_BYTES: usize = 1 << 10;
/// For every 500 viewers, how long it may take until the system keeps no more of what is sent to the slow ones, and
/// their time is over: ten seconds, but for the machine.
const CLOSED: Duration = Duration::from_mins(2);
const TOGETHER: usize = 500;

/// Those who read a kilobyte a second are closed as too slow, and all the others are told every frame in its order.
///
/// `PROCESSOR_TEST_VIEWERS` and `PROCESSOR_TEST_SLOW_VIEWERS` say how many there are of each.
#[tokio::test(flavor = "multi_thread")]
async fn are_closed_and_hold_up_nobody() -> anyhow::Result<()> {
    let viewers = usize::try_from(number("PROCESSOR_TEST_VIEWERS", 500)?)?;
    let slow = usize::try_from(number("PROCESSOR_TEST_SLOW_VIEWERS", 10)?)?;
    let live = LiveStage::new().await?;
    let cars = devices(CARS);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let sockets = (viewers + slow).to_string();
    let processor = live
        .processor()
        .env("LIVE_MAX_SOCKETS", &sockets)
        .env("LIVE_MAX_SOCKETS_PER_USER", &sockets)
        .env("LIVE_TICK_MS", "20")
        .env("LIVE_PATIENCE_MS", "5000")
        .env("LOG_LEVEL", "info,processor_live=debug")
        .start()
        .await?;
    processor.until_ready(SOON).await;
    let ann = ann(&processor).await;
    for slow in watching(&ann.clone().with_receive_buffer(4 << 10), slow).await? {
        tokio::spawn(slow.trickle(SLOW_BYTES));
    }
    let mut witness = ann.watch(&[RALLY]).await?;
    let mut others = watching(&ann, viewers - 1).await?;

    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut seconds = records(CARS, u32::MAX);
    let mut sent = 0;
    let sending = async {
        while too_slow(&processor) < slow {
            ledger.publish(&mut redis, seconds.by_ref().take(CARS as usize)).await?;
            sent += u64::from(CARS);
            witness.until(SHOWN, "what was sent", |viewer| moves(viewer) >= sent).await?;
            let seq = witness.picture(RALLY)?.seq();
            try_join_all(others.iter_mut().map(|viewer| viewer.skim_until(SHOWN, RALLY, seq))).await?;
        }
        anyhow::Ok(())
    };
    let limit = CLOSED * u32::try_from(viewers.div_ceil(TOGETHER))?;
    let Ok(sent) = tokio::time::timeout(limit, sending).await else {
        bail!("{} of {slow} slow ones are closed", too_slow(&processor));
    };
    sent?;
    ensure!(too_slow(&processor) == slow, "others were closed as too slow");
    let conflated: u64 = others.iter().map(conflated).sum();
    ensure!(conflated + self::conflated(&witness) == 0, "{conflated} frames stood for several");
    live.stage.settled(&ledger).await;
    witness.until_cars_are(SHOWN, RALLY, &live.whereabouts(cars).await?).await
}

async fn watching(visitor: &Visitor, viewers: usize) -> anyhow::Result<Vec<Viewer>> {
    // Not more at once than wait to be accepted.
    let mut entered = Vec::new();
    while entered.len() < viewers {
        let next = (viewers - entered.len()).min(50);
        entered.extend(try_join_all((0..next).map(|_| visitor.watch(&[RALLY]))).await?);
    }
    Ok(entered)
}

fn conflated(viewer: &Viewer) -> u64 {
    viewer.picture(RALLY).map_or(0, processor_tests::Picture::conflated)
}

/// How many were closed as too slow.
fn too_slow(processor: &Processor) -> usize {
    let closed = processor.lines_with("closing a viewer's socket");
    closed.iter().filter(|line| line.contains("4408")).count()
}
