use anyhow::{anyhow, ensure};
use processor_tests::{Account, eventually, records};

use crate::counted::count_of;
use crate::{Outcomes, SOON, Stage, until_counted};

/// The next life finds in the table what it is given again, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn stores_nothing_twice_and_what_comes_again_is_counted_as_such() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_redis().await?;
    let mut ledger = stage.ledger();
    // Three batches, which is as many as may be written and wait for their acknowledgement.
    ledger.publish(&mut stage.redis.connection().await?, records(100, 50)).await?;

    // Rows are committed, and no acknowledgement gets through.
    stage.ask::<()>("ACL SETUSER default -xack").await?;
    let mut processor = stage.processor().start().await?;
    eventually(SOON, "everything is in the table and pending", async || {
        match (stage.rows().await?, stage.pending().await?) {
            (5_000, 5_000) => Ok(()),
            other => Err(anyhow!("{other:?}")),
        }
    })
    .await;
    let acknowledged = count_of(&processor.metrics().await?, "processor_acks_total");
    ensure!(acknowledged == Some(0), "{acknowledged:?} acknowledged");
    processor.kill().await?;
    stage.ask::<()>("ACL SETUSER default +xack").await?;

    let processor = stage.processor().start().await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 5_000, rows: 5_000, ..Account::default() }, "{account:?}");
    until_counted(&processor, Outcomes { duplicate: 5_000, ..Outcomes::default() }).await;
    Ok(())
}
