//! Consumers that nobody is any more are forgotten, and nothing that is pending with them.

use std::time::Duration;

use anyhow::ensure;
use processor_domain::ports::{ConsumerGroup, PositionStream};
use processor_redis::{RedisConnectionLimits, RedisConnections, RedisConsumerGroup};
use processor_tests::eventually;

use super::{Lab, SOON, take};

/// What counts as gone here.
const GONE: Duration = Duration::from_secs(2);

fn group(lab: &Lab, own: &str) -> anyhow::Result<RedisConsumerGroup> {
    let connections = RedisConnections::new(lab.server.url(), RedisConnectionLimits::default())?;
    Ok(RedisConsumerGroup::new(connections, lab.stream.as_str(), "processor", lab.consumer(own)))
}

/// Forgets those that are gone until so many are left, and says how many were forgotten at a time.
async fn forget_down_to(lab: &Lab, group: &RedisConsumerGroup, left: usize) -> Vec<usize> {
    let mut forgotten = Vec::new();
    eventually(SOON * 4, "so many consumers are left", async || {
        let gone = group.forget(GONE).await.map_err(|error| error.to_string())?;
        forgotten.push(gone.len());
        let there: Vec<redis::Value> =
            lab.run("XINFO CONSUMERS STREAM processor").await.map_err(|error| error.to_string())?;
        if there.len() == left { Ok(()) } else { Err(format!("{} consumers", there.len())) }
    })
    .await;
    forgotten
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_names_leave_those_who_live_and_those_who_hold_something() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let one = lab.open("one").await?;
    let sent = lab.add(10).await?;
    for number in 0..200 {
        let pod = lab.open(&format!("pod-{number}")).await?;
        if number == 100 {
            drop(take(&pod, 10).await?);
        } else {
            lab.run::<()>(&format!(
                "XGROUP CREATECONSUMER STREAM processor {}",
                lab.consumer(&format!("pod-{number}"))
            ))
            .await?;
        }
    }
    let group = group(&lab, "one")?;
    ensure!(group.consumers().await?.len() == 200);
    forget_down_to(&lab, &group, 1).await;
    let left = group.consumers().await?;
    ensure!(*left[0].name == *lab.consumer("pod-100") && left[0].pending == 10, "{left:?}");
    ensure!(left[0].oldest_pending == sent.first().copied(), "{left:?}");
    ensure!(one.next_batch().await?.is_empty());
    Ok(())
}

/// The step in which they are looked at and removed is bounded.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_them_are_forgotten_in_bounded_steps() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    drop(lab.open("one").await?);
    let mut commands = redis::pipe();
    for number in 0..2_500 {
        let command = commands.cmd("XGROUP").arg("CREATECONSUMER").arg(&lab.stream).arg("processor");
        command.arg(format!("pod-{number}")).ignore();
    }
    commands.query_async::<()>(&mut lab.redis.clone()).await?;
    let forgotten = forget_down_to(&lab, &group(&lab, "one")?, 0).await;
    ensure!(forgotten.iter().sum::<usize>() == 2_500, "{forgotten:?}");
    ensure!(forgotten.iter().all(|count| *count <= 1_000), "{forgotten:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_text_are_shown_and_forgotten_like_others() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    drop(lab.open("one").await?);
    let mut create = redis::cmd("XGROUP");
    create.arg("CREATECONSUMER").arg(&lab.stream).arg("processor").arg(b"\xFF\x00name".as_slice());
    create.query_async::<()>(&mut lab.redis.clone()).await?;
    let group = group(&lab, "one")?;
    let listed = group.consumers().await?;
    ensure!(listed.len() == 1 && *listed[0].name == *"\u{fffd}\0name", "{listed:?}");
    forget_down_to(&lab, &group, 0).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_group_or_no_stream_there_are_no_consumers() -> anyhow::Result<()> {
    let lab = Lab::new().await?;
    let group = group(&lab, "one")?;
    for _ in 0..2 {
        ensure!(group.consumers().await?.is_empty());
        ensure!(group.forget(Duration::ZERO).await?.is_empty());
        // The second time there is a stream, and no group.
        lab.add(1).await?;
    }
    Ok(())
}
