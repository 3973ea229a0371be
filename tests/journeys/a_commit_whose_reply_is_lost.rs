use anyhow::{Context, ensure};
use processor_tests::{Account, Processor, Proxy, records};

use crate::counted::until_count;
use crate::stage::END_OF_COPY;
use crate::{SOON, Stage};

/// So many that one batch of theirs is worth a COPY, however they are read.
const DEVICES: u32 = 3_000;

/// The database has committed and the program cannot know: it writes the same again, and finds it there.
#[tokio::test(flavor = "multi_thread")]
async fn is_made_again_and_stores_nothing_twice() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let network = Proxy::to(&stage.database_url)?;
    let processor = stage.processor().env("DATABASE_URL", network.url()).start().await?;
    processor.until_ready(SOON).await;

    // Nothing is known of the devices yet: their first positions go by INSERT, in a transaction.
    let mut redis = stage.redis.connection().await?;
    network.lose_reply_to(*b"COMMIT");
    ledger.publish(&mut redis, records(DEVICES, 1)).await?;
    let account = stage.settled(&ledger).await;
    ensure!(
        account == Account { given: DEVICES as usize, rows: DEVICES as usize, ..Account::default() },
        "{account:?}"
    );
    ensure!(network.lost_replies() == 1, "no reply was lost: the batch was written in another way");
    let first = until_all_are_counted(&processor, u64::from(DEVICES)).await?;
    ensure!(first >= 1.0, "nothing was found to be there");

    // What is newer than all that is known of its devices goes by COPY, which commits by itself.
    network.lose_reply_to(END_OF_COPY);
    ledger.publish(&mut redis, records(DEVICES, 2).skip(DEVICES as usize)).await?;
    let account = stage.settled(&ledger).await;
    ensure!(
        account == Account { given: 2 * DEVICES as usize, rows: 2 * DEVICES as usize, ..Account::default() },
        "{account:?}"
    );
    ensure!(network.lost_replies() == 2, "no reply was lost: the batch was written in another way");
    let second = until_all_are_counted(&processor, 2 * u64::from(DEVICES)).await?;
    ensure!(second > first, "nothing was found to be there");
    Ok(())
}

/// Waits until so many records are counted, and returns how many of them are duplicates. How many there are in a
/// batch is the reader's to choose.
async fn until_all_are_counted(processor: &Processor, expected: u64) -> anyhow::Result<f64> {
    until_count(processor, "processor_records_total", |count| count == expected).await;
    let metrics = processor.metrics().await?;
    metrics
        .value("processor_records_total", &[("outcome", "duplicate")])
        .context("duplicates are not counted")
}
