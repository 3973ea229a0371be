use anyhow::{anyhow, ensure};
use processor_tests::{Account, Proxy, eventually, records};

use crate::{SOON, Stage};

/// The database has committed and the program cannot know: it writes the same again, and finds it there.
#[tokio::test(flavor = "multi_thread")]
async fn is_made_again_and_stores_nothing_twice() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let network = Proxy::to(&stage.database_url)?;
    let processor = stage.processor().env("DATABASE_URL", network.url()).start().await?;
    processor.until_ready(SOON).await;

    // A batch of positions that are all newer than what is known of their devices is one COPY, which commits by
    // itself: its last message is the one that a COPY ends with.
    let mut redis = stage.redis.connection().await?;
    ledger.publish(&mut redis, records(100, 1)).await?;
    stage.settled(&ledger).await;
    network.lose_reply_to([b'c', 0, 0, 0, 4]);
    ledger.publish(&mut redis, records(100, 2).skip(100)).await?;

    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 200, rows: 200, ..Account::default() }, "{account:?}");
    ensure!(network.lost_replies() == 1, "no reply was lost: another statement wrote the batch");
    let counted = eventually(SOON, "all records are counted", async || {
        let metrics = processor.metrics().await?;
        let count = |name| metrics.value("processor_records_total", &[("outcome", name)]);
        match (count("stored"), count("duplicate")) {
            (Some(stored), Some(duplicate)) if stored + duplicate >= 200.0 => Ok([stored, duplicate]),
            _ => Err(anyhow!("{metrics:?}")),
        }
    })
    .await;
    // How many there are in the batch is the reader's to choose.
    ensure!(counted[1] >= 1.0 && counted[0] + counted[1] <= 200.0, "{counted:?}");
    Ok(())
}
