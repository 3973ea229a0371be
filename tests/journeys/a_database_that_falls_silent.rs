use std::time::Duration;

use anyhow::{anyhow, ensure};
use processor_tests::{Account, Processor, Proxy, eventually, records};
use tokio::time::{Instant, interval};

use crate::{SOON, Stage};

/// For longer than a task may be at one thing.
const SILENCE: Duration = Duration::from_secs(30);

/// It takes connections and requests, and never answers. Everything that waits for it gives up in time, to try
/// again: so nothing counts as stuck, and nobody restarts a program that a restart would not help.
#[tokio::test(flavor = "multi_thread")]
async fn is_waited_for_without_anything_being_stuck() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let network = Proxy::to(&stage.database_url)?;
    // What asks the database allows itself 5 s and three times the first; the second is as much longer as usual.
    let processor = stage
        .processor()
        .env("DATABASE_URL", network.url())
        .env("DATABASE_STATEMENT_TIMEOUT_MS", "1000")
        .env("STUCK_AFTER_MS", "20000")
        .start()
        .await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 1)).await?;
    stage.settled(&ledger).await;

    network.block();
    // Of devices that are known, for the writers, and then of others, for the judge.
    ledger.publish(&mut redis, records(100, 2).skip(100)).await?;
    ledger.publish(&mut redis, records(3_000, 1).skip(100)).await?;
    eventually(SOON, "the program says that it is not ready", async || away(&processor).await).await;
    let (mut looks, until) = (interval(Duration::from_millis(250)), Instant::now() + SILENCE);
    while Instant::now() < until {
        looks.tick().await;
        let (status, body) = processor.get("/healthz").await?;
        ensure!(status == 200, "a restart would not help: {body}");
    }
    away(&processor).await?;

    network.unblock();
    processor.until_ready(SOON).await;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 3_100, rows: 3_100, ..Account::default() }, "{account:?}");
    Ok(())
}

async fn away(processor: &Processor) -> anyhow::Result<()> {
    match processor.get("/readyz").await? {
        (503, body) if body.contains("store_unavailable") => Ok(()),
        other => Err(anyhow!("{other:?}")),
    }
}
