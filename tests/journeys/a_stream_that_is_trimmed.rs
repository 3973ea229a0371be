use anyhow::ensure;
use processor_tests::{Account, Signal, records};

use crate::counted::{count_of, until_count};
use crate::stage::CONSUMER;
use crate::{Outcomes, SOON, Stage, until_counted};

#[tokio::test(flavor = "multi_thread")]
async fn ahead_of_the_program_has_its_losses_counted_to_the_entry() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let mut processor = stage.processor().start().await?;
    ledger.publish(&mut redis, records(100, 1)).await?;
    stage.settled(&ledger).await;
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);

    let unread = ledger.publish(&mut redis, records(100, 11).skip(100)).await?;
    ledger.allow_lost(unread.into_iter().take(700));
    stage.ask::<i64>("XTRIM $stream MAXLEN 300").await?;
    let processor = stage.processor().start().await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 1_100, rows: 400, lost: 700, ..Account::default() }, "{account:?}");
    until_count(&processor, "processor_trimmed_unread_total", |count| count == 700).await;
    let said = processor.lines_with("trimmed from the stream before they were read");
    ensure!(said.len() == 1 && said[0].contains("\"ERROR\""), "{said:?}");
    Ok(())
}

/// Its own, of which the body is gone when it comes back, and those of a consumer that does not.
#[tokio::test(flavor = "multi_thread")]
async fn under_what_is_pending_has_its_losses_counted_and_nothing_stays_pending() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let ids = ledger.publish(&mut redis, records(100, 5)).await?;
    stage.ask::<()>("XGROUP CREATE $stream $group 0").await?;
    for (consumer, count) in [("gone", 100), (CONSUMER, 400)] {
        let read = format!("XREADGROUP GROUP $group {consumer} COUNT {count} STREAMS $stream >");
        stage.ask::<redis::Value>(&read).await?;
    }
    // All hundred of the one, two hundred of the other.
    stage.ask::<i64>("XTRIM $stream MAXLEN 200").await?;
    ledger.allow_lost(ids.into_iter().take(300));

    let processor = stage.processor().env("REDIS_CLAIM_IDLE_MS", "1000").start().await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 500, rows: 200, lost: 300, ..Account::default() }, "{account:?}");
    let expected = Outcomes { stored: 200, lost_pending: 300, ..Outcomes::default() };
    until_counted(&processor, expected).await;
    let metrics = processor.metrics().await?;
    ensure!(count_of(&metrics, "processor_decode_errors_total") == Some(0), "{metrics:?}");
    ensure!(count_of(&metrics, "processor_trimmed_unread_total") == Some(0), "they had been read");
    Ok(())
}
