use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use processor_tests::{Account, Processor, ProcessorBuilder, Proxy, Signal, eventually, records};
use redis::streams::{StreamInfoConsumersReply, StreamPendingCountReply};

use crate::counted::{count_of, until_count};
use crate::{Load, SOON, Stage};

fn instance(stage: &Stage, name: &str) -> ProcessorBuilder {
    stage.processor().env("INSTANCE_ID", name)
}

/// One that is killed and does not come back leaves entries behind; another takes them over.
#[tokio::test(flavor = "multi_thread")]
async fn take_over_from_one_that_is_gone() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let one = instance(&stage, "one").env("REDIS_CLAIM_IDLE_MS", "2000");
    let two = instance(&stage, "two").env("REDIS_CLAIM_IDLE_MS", "2000");
    let (mut one, two) = (one.start().await?, two.start().await?);
    let load = Load::on(&stage);
    let held = freeze_with_entries_in_hand(&stage, &one, "one").await?;
    one.kill().await?;
    let taken = until_count(&two, "processor_reclaimed_total", |count| count >= held).await;
    let ledger = load.end().await?;

    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    ensure!(taken >= held, "{taken} of {held} entries were taken over");
    Ok(())
}

/// Stops the process dead at a moment when entries are delivered to it and not acknowledged; returns how many.
async fn freeze_with_entries_in_hand(stage: &Stage, process: &Processor, name: &str) -> anyhow::Result<u64> {
    let found = eventually(SOON, "the program is met with entries in hand", async || {
        process.signal(Signal::SIGSTOP)?;
        let held = in_hand(stage, name).await?;
        if held > 0 {
            return Ok(held);
        }
        process.signal(Signal::SIGCONT)?;
        Err(anyhow!("nothing in hand"))
    });
    Ok(u64::try_from(found.await)?)
}

async fn in_hand(stage: &Stage, name: &str) -> anyhow::Result<usize> {
    let consumers: StreamInfoConsumersReply = stage.ask("XINFO CONSUMERS $stream $group").await?;
    Ok(consumers.consumers.iter().filter(|consumer| consumer.name == name).map(|found| found.pending).sum())
}

/// An instance that waits for a slow database says so, and is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn leave_each_other_alone_when_the_database_is_slow() -> anyhow::Result<()> {
    const CLAIM_IDLE: Duration = Duration::from_millis(2_500);
    let stage = Stage::new().await?;
    let network = Proxy::to(&stage.database_url)?;
    let slow = |name| {
        let instance = instance(&stage, name).env("DATABASE_URL", network.url());
        instance.env("REDIS_CLAIM_IDLE_MS", CLAIM_IDLE.as_millis().to_string()).env("REDIS_BATCH_SIZE", "500")
    };
    let instances = [slow("one").start().await?, slow("two").start().await?];
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    ledger.publish(&mut redis, records(100, 50)).await?;
    stage.settled(&ledger).await;

    // A commit waits for three answers, and in each instance two batches wait for those that are written.
    network.delay(Duration::from_millis(700));
    ledger.publish(&mut redis, records(100, 90).skip(5_000)).await?;
    until_one_is_in_hand_for(CLAIM_IDLE, &stage).await;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 9_000, rows: 9_000, ..Account::default() }, "{account:?}");
    for instance in instances {
        let taken = count_of(&instance.metrics().await?, "processor_reclaimed_total");
        ensure!(taken == Some(0), "{taken:?} entries were taken over");
    }
    Ok(())
}

/// Waits until an entry is seen that was pending for longer than this without a break.
async fn until_one_is_in_hand_for(limit: Duration, stage: &Stage) {
    let mut since: HashMap<String, Instant> = HashMap::new();
    eventually(SOON, "an entry is in hand for long", async || {
        let pending: StreamPendingCountReply = stage.ask("XPENDING $stream $group - + 10000").await?;
        let pending: Vec<String> = pending.ids.into_iter().map(|entry| entry.id).collect();
        let now = Instant::now();
        since = pending
            .into_iter()
            .map(|id| {
                let seen = since.get(&id).copied().unwrap_or(now);
                (id, seen)
            })
            .collect();
        let longest = since.values().map(|seen| now - *seen).max();
        if longest > Some(limit) { Ok(()) } else { Err(anyhow!("{longest:?}")) }
    })
    .await;
}

/// Each would make the same schema and the same group.
#[tokio::test(flavor = "multi_thread")]
async fn may_all_be_the_first() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let [one, two, three] = ["one", "two", "three"].map(|name| instance(&stage, name));
    let started = tokio::try_join!(one.start(), two.start(), three.start())?;
    let mut ledger = stage.ledger();
    ledger.publish(&mut stage.redis.connection().await?, records(100, 50)).await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 5_000, rows: 5_000, ..Account::default() }, "{account:?}");
    for mut processor in [started.0, started.1, started.2] {
        processor.until_ready(SOON).await;
        processor.signal(Signal::SIGTERM)?;
        ensure!(processor.wait_exit(SOON).await? == 0);
    }
    Ok(())
}
