use anyhow::ensure;
use processor_tests::{Account, records};

use crate::{Outcomes, Stage, until_counted};

#[tokio::test(flavor = "multi_thread")]
async fn are_stored_once_and_counted_as_often_as_they_came() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let processor = stage.processor().start().await?;
    for _ in 0..5 {
        ledger.publish(&mut redis, records(50, 20)).await?;
    }
    let account = stage.settled(&ledger).await;
    let expected = Account { given: 5_000, rows: 1_000, repeats: 4_000, ..Account::default() };
    ensure!(account == expected, "{account:?}");
    until_counted(&processor, Outcomes { stored: 1_000, duplicate: 4_000, ..Outcomes::default() }).await;
    let failures = processor.metrics().await?.sum("processor_write_failures_total");
    ensure!(failures == Some(0.0), "{failures:?} writes failed");
    Ok(())
}
