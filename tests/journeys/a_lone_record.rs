use std::time::Duration;

use anyhow::ensure;
use processor_tests::{Account, records};

use crate::Stage;

/// A read may wait this long; it is answered when there is something.
const BLOCK: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn is_in_the_table_long_before_a_read_has_waited_its_time() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let block = BLOCK.as_millis().to_string();
    let _processor = stage.processor().env("REDIS_BLOCK_MS", block).start().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    for (sent, record) in (1..).zip(records(1, 3)) {
        ledger.publish(&mut redis, [record]).await?;
        let account = stage.settled_within(BLOCK / 4, &ledger).await;
        ensure!(account == Account { given: sent, rows: sent, ..Account::default() }, "{account:?}");
    }
    Ok(())
}
