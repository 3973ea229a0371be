use anyhow::{anyhow, ensure};
use processor_tests::{Account, Processor, Signal, eventually};

use crate::counted::{count_of, until_count};
use crate::{HEALED, Load, SOON, Stage};

/// A server that keeps nothing on disk is killed and comes back empty: what it lost is lost, and everything goes on.
#[tokio::test(flavor = "multi_thread")]
async fn goes_on_by_itself() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_redis().await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    until_durability_is(&processor, 0.0).await;
    let load = Load::on(&stage);
    until_count(&processor, "processor_acks_total", |count| count > 0).await;
    stage.redis.kill().await?;
    stage.redis.restart().await?;
    processor.until_ready(HEALED).await;
    let before = count_of(&processor.metrics().await?, "processor_acks_total").unwrap_or_default();
    until_count(&processor, "processor_acks_total", |count| count > before + 500).await;
    let mut ledger = load.end().await?;
    ledger.allow_forgotten();
    ledger.recount(&mut stage.redis.connection().await?).await?;

    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    until_count(&processor, "processor_group_recreated_total", |count| count == 1).await;

    stage.ask::<()>("CONFIG SET appendonly yes").await?;
    until_durability_is(&processor, 1.0).await;
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(())
}

async fn until_durability_is(processor: &Processor, expected: f64) {
    eventually(SOON, "the program says whether the server would forget", async || {
        match processor.metrics().await?.sum("processor_redis_durability_ok") {
            Some(said) if said.to_bits() == expected.to_bits() => Ok(()),
            other => Err(anyhow!("{other:?}")),
        }
    })
    .await;
}
