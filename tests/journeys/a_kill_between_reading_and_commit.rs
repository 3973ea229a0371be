use anyhow::ensure;
use processor_tests::{Account, records};

use crate::{HEALED, Outcomes, SOON, Stage, until_counted};

/// The next life, under the same name, is given first what the last one had in hand.
#[tokio::test(flavor = "multi_thread")]
async fn loses_nothing_and_the_next_life_begins_with_what_was_in_hand() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_database().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 10)).await?;
    stage.settled(&ledger).await;

    stage.timescale.pause().await?;
    ledger.publish(&mut redis, records(100, 20).skip(1_000)).await?;
    stage.until_pending(|pending| pending > 0).await;
    processor.kill().await?;
    stage.timescale.unpause().await?;
    ensure!(stage.rows().await? == 1_000, "what was read was not committed");

    let processor = stage.processor().start().await?;
    let account = stage.settled_within(HEALED, &ledger).await;
    ensure!(account == Account { given: 2_000, rows: 2_000, ..Account::default() }, "{account:?}");
    until_counted(&processor, Outcomes { stored: 1_000, ..Outcomes::default() }).await;
    Ok(())
}
