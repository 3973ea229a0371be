use anyhow::{anyhow, ensure};
use processor_tests::{Account, RedisServer, Signal, TimescaleServer, eventually, records};

use crate::{SOON, Stage};

/// Nothing is acknowledged that is not committed, nothing is set aside for want of a database, and the program
/// is not restarted.
#[tokio::test(flavor = "multi_thread")]
async fn is_waited_for_and_then_has_everything() -> anyhow::Result<()> {
    let stage = Stage::on(RedisServer::start().await?, TimescaleServer::start_alone().await?).await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 10)).await?;
    stage.settled(&ledger).await;

    stage.timescale.kill().await?;
    ledger.publish(&mut redis, records(100, 110).skip(1_000)).await?;
    eventually(SOON, "the program says that it is not ready", async || match processor.ready().await {
        Ok(false) => Ok(()),
        other => Err(anyhow!("{other:?}")),
    })
    .await;
    // A restart would not help, so it is alive all the same.
    ensure!(processor.get("/healthz").await?.0 == 200);
    let acknowledged = processor.metrics().await?.value("processor_acks_total", &[]);
    ensure!(acknowledged.is_some_and(|count| count <= 1_000.0), "{acknowledged:?} acknowledged");

    stage.timescale.restart().await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 11_000, rows: 11_000, ..Account::default() }, "{account:?}");
    processor.until_ready(SOON).await;
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(())
}
