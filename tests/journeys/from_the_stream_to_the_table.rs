use anyhow::ensure;
use processor_tests::{Account, Sample, Signal, eventually, records};

use crate::{SOON, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_in_the_table_once_or_a_dead_letter_and_the_counters_say_so() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    // Some of it was there before the program, some comes while it runs.
    let poison = [&b"poison"[..], br#"{"device_id":"1"}"#].map(Sample::undecodable);
    ledger.publish(&mut redis, records(100, 50).chain(poison)).await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 100).skip(4_900)).await?;

    let account = stage.settled(&ledger).await;
    let expected = Account { given: 10_102, rows: 10_000, repeats: 100, dead_letters: 2, lost: 0 };
    ensure!(account == expected, "{account:?}");

    // Counted after they are settled.
    eventually(SOON, "the counters say what became of the records", async || {
        let metrics = processor.metrics().await?;
        let outcome = |name| metrics.value("processor_records_total", &[("outcome", name)]);
        let counted = ["stored", "duplicate", "merged", "dead_lettered", "lost_pending"].map(outcome);
        let expected = [10_000.0, 100.0, 0.0, 2.0, 0.0].map(Some);
        if counted == expected { Ok(()) } else { Err(anyhow::anyhow!("{counted:?}")) }
    })
    .await;

    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(())
}
