use anyhow::{anyhow, ensure};
use processor_tests::{Account, Processor, Proxy, eventually, records};
use serde_json::Value;

use crate::{Outcomes, SOON, Stage, until_counted};

/// One writer waits for the answer to a COMMIT that never comes, for longer than a task may be at one thing. The
/// time that it allows itself is set so long that it does not help itself before, as a fault of the program would
/// have it. The others go on meanwhile, and all is well when the answer is there.
#[tokio::test(flavor = "multi_thread")]
async fn fails_liveness_and_is_named() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let network = Proxy::to(&stage.database_url)?;
    let processor = stage
        .processor()
        .env("DATABASE_URL", network.url())
        .env("DATABASE_STATEMENT_TIMEOUT_MS", "600000")
        .env("STUCK_AFTER_MS", "2000")
        .env("REDIS_BLOCK_MS", "100")
        .start()
        .await?;
    processor.until_ready(SOON).await;

    network.hold_reply_to(*b"COMMIT");
    ledger.publish(&mut redis, records(10, 1)).await?;
    // On a busy machine another task may take long as well, but not for long.
    eventually(SOON, "the writer alone is stuck", async || {
        let stuck = not_alive(&processor).await?;
        ensure!(stuck["code"] == "stuck", "{stuck}");
        let causes = stuck["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [cause] = causes else { return Err(anyhow!("not one task is stuck: {stuck}")) };
        ensure!(cause["code"] == "task_stuck", "{stuck}");
        ensure!(cause["detail"].as_str().is_some_and(|detail| detail.starts_with("the writer ")), "{stuck}");
        Ok(())
    })
    .await;
    ensure!(processor.ready().await?, "the database is there, and the stream");

    // The database has done what it was asked; only the writer does not know.
    ledger.publish(&mut redis, records(10, 21).skip(10)).await?;
    eventually(SOON, "the other writer has written the rest", async || match stage.rows().await? {
        210 => Ok(()),
        rows => Err(anyhow!("{rows} rows")),
    })
    .await;
    stage.until_pending(|pending| (1..=10).contains(&pending)).await;
    not_alive(&processor).await.map_err(|answer| anyhow!("it is stuck all the same: {answer}"))?;

    network.release();
    eventually(SOON, "nothing is stuck", async || match processor.get("/healthz").await? {
        (200, _) => Ok(()),
        other => Err(anyhow!("{other:?}")),
    })
    .await;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 210, rows: 210, ..Account::default() }, "{account:?}");
    until_counted(&processor, Outcomes { stored: 210, ..Outcomes::default() }).await;
    Ok(())
}

/// What the program says of itself when it is not alive.
async fn not_alive(processor: &Processor) -> anyhow::Result<Value> {
    match processor.get("/healthz").await? {
        (503, problem) => Ok(serde_json::from_str(&problem)?),
        other => Err(anyhow!("{other:?}")),
    }
}
