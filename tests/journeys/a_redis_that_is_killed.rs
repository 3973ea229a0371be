use anyhow::{anyhow, ensure};
use processor_tests::{Account, RedisServer, Signal, TimescaleServer, eventually};

use crate::counted::{count_of, until_count};
use crate::{HEALED, Load, SOON, Stage};

/// What the server had confirmed is in the table in the end, and the program was not restarted.
#[tokio::test(flavor = "multi_thread")]
async fn is_waited_for_and_everything_it_kept_is_stored() -> anyhow::Result<()> {
    let redis = RedisServer::start_with(RedisServer::DURABLE).await?;
    let stage = Stage::on(redis, TimescaleServer::start().await?).await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    let load = Load::on(&stage);
    let mut acknowledged = 0;
    for _ in 0..2 {
        let before = acknowledged;
        acknowledged = until_count(&processor, "processor_acks_total", |count| count > before).await;
        stage.redis.kill().await?;
        eventually(SOON, "the program says that it cannot read", async || {
            match processor.get("/readyz").await? {
                (503, body) if body.contains("stream_unavailable") => Ok(()),
                other => Err(anyhow!("{other:?}")),
            }
        })
        .await;
        ensure!(processor.get("/healthz").await?.0 == 200, "a restart would not help");
        stage.redis.restart().await?;
        processor.until_ready(HEALED).await;
    }
    let ledger = load.end().await?;

    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    let lost = count_of(&processor.metrics().await?, "processor_trimmed_unread_total");
    ensure!(lost == Some(0), "{lost:?} lost");
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(())
}
