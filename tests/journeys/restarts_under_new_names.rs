use std::time::Duration;

use anyhow::{anyhow, ensure};
use processor_tests::{Account, Ledger, eventually, number, records};
use redis::aio::MultiplexedConnection;
use redis::streams::StreamInfoConsumersReply;

use crate::{SOON, Stage};

/// How many records come while one instance lives.
const EACH: usize = 100;

/// Of so many instances one lives for long enough to clear up after those before it.
const ONE_IN: u64 = 5;

/// Every instance has another name than all before it, as a pod has, and most are killed with entries in hand.
///
/// `PROCESSOR_TEST_RESTARTS` says how many.
#[tokio::test(flavor = "multi_thread")]
async fn leave_no_more_consumers_behind_than_those_that_live() -> anyhow::Result<()> {
    let restarts = number("PROCESSOR_TEST_RESTARTS", 12)?;
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let mut samples = records(100, u32::MAX);
    let mut publish = async |ledger: &mut Ledger, redis: &mut MultiplexedConnection| {
        ledger.publish(redis, samples.by_ref().take(EACH)).await
    };
    let instance = |name: &str| {
        let instance = stage.processor().env("INSTANCE_ID", name).env("REDIS_CLAIM_IDLE_MS", "1000");
        // Less than two seconds. And that one has entries in hand and is killed is no fault of theirs.
        let instance = instance.env("REDIS_CONSUMER_FORGET_HOURS", "0.0005").env("REDIS_MAX_DELIVERIES", "0");
        instance.env("REDIS_BLOCK_MS", "200")
    };
    let mut most = 0;
    for restart in 1..=restarts {
        let name = format!("pod-{restart}");
        let mut pod = instance(&name).start().await?;
        publish(&mut ledger, &mut redis).await?;
        eventually(SOON, "it reads", async || match consumers(&stage).await? {
            names if names.contains(&name) => Ok(()),
            names => Err(anyhow!("{names:?}")),
        })
        .await;
        most = most.max(consumers(&stage).await?.len());
        if restart % ONE_IN == 0 {
            until_alone(&stage, &name).await;
        }
        pod.kill().await?;
    }
    ensure!(most as u64 <= ONE_IN + 1, "{most} consumers at a time");

    let last = instance("last").start().await?;
    publish(&mut ledger, &mut redis).await?;
    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    until_alone(&stage, "last").await;
    let forgotten = last.metrics().await?.sum("processor_consumers_forgotten_total");
    ensure!(forgotten.is_some_and(|count| count >= 1.0), "{forgotten:?} were forgotten by the last one");
    // It goes on, though it has nothing to do for longer than the time after which others are forgotten.
    tokio::time::sleep(Duration::from_secs(3)).await;
    publish(&mut ledger, &mut redis).await?;
    let account = stage.settled(&ledger).await;
    ensure!(account.rows == given + EACH, "{account:?}");
    Ok(())
}

async fn until_alone(stage: &Stage, name: &str) {
    eventually(SOON, "only the one that lives is left", async || match consumers(stage).await? {
        names if names == [name] => Ok(()),
        names => Err(anyhow!("{names:?}")),
    })
    .await;
}

async fn consumers(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let found: StreamInfoConsumersReply = stage.ask("XINFO CONSUMERS $stream $group").await?;
    Ok(found.consumers.into_iter().map(|consumer| consumer.name).collect())
}
