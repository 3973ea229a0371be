use std::time::Duration;

use anyhow::{anyhow, ensure};
use processor_tests::{Account, Processor, Signal, eventually, number, records, resident_bytes};
use tokio::time::{Instant, interval};

use crate::counted::count_of;
use crate::{HEALED, Outcomes, SOON, Stage, until_counted};

/// Of what comes in meanwhile, so much more memory may be taken at most.
const GROWTH_LIMIT: u64 = 24 * 1024 * 1024;

/// Nothing is acknowledged that is not committed, nothing is set aside for want of a database, the memory stays
/// bounded, and the program is not restarted.
///
/// `PROCESSOR_TEST_OUTAGE_SECONDS` says for how long it is away.
#[tokio::test(flavor = "multi_thread")]
async fn is_waited_for_and_then_has_everything() -> anyhow::Result<()> {
    let outage = Duration::from_secs(number("PROCESSOR_TEST_OUTAGE_SECONDS", 15)?);
    let stage = Stage::with_its_own_database().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    // Sooner than usual, so that an outage of seconds shows what one of minutes would.
    let mut processor = stage.processor().env("STUCK_AFTER_MS", "10000").start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 10)).await?;
    stage.settled(&ledger).await;

    stage.timescale.kill().await?;
    ledger.publish(&mut redis, records(100, 210).skip(1_000)).await?;
    eventually(SOON, "the program says that it is not ready", async || away(&processor).await).await;
    // By now it has as much in hand as it takes.
    let before = resident_bytes(processor.pid())?;
    let (mut looks, back_at) = (interval(Duration::from_millis(250)), Instant::now() + outage);
    while Instant::now() < back_at {
        looks.tick().await;
        away(&processor).await?;
        ensure!(processor.get("/healthz").await?.0 == 200, "a restart would not help");
        let acknowledged = count_of(&processor.metrics().await?, "processor_acks_total");
        ensure!(acknowledged == Some(1_000), "{acknowledged:?} acknowledged");
        let growth = resident_bytes(processor.pid())?.saturating_sub(before);
        ensure!(growth <= GROWTH_LIMIT, "{growth} bytes more than when the database went away");
    }
    let said = processor.lines_with("the store is unavailable");
    ensure!((1..=4).contains(&said.len()), "once for each of three writers and for the marks: {said:#?}");

    stage.timescale.restart().await?;
    processor.until_ready(HEALED).await;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 21_000, rows: 21_000, ..Account::default() }, "{account:?}");
    until_counted(&processor, Outcomes { stored: 21_000, ..Outcomes::default() }).await;
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(())
}

async fn away(processor: &Processor) -> anyhow::Result<()> {
    match processor.get("/readyz").await? {
        (503, body) if body.contains("store_unavailable") => Ok(()),
        other => Err(anyhow!("{other:?}")),
    }
}
