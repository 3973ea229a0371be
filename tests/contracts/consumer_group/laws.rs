use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use processor_domain::ports::{ConsumerGroup, PositionStream};
use processor_domain::{Consumer, Delivery, Outcome};
use processor_tests::{eventually, records};
use tokio::time::timeout;

use crate::position_stream::StreamFixture;

const PATIENCE: Duration = Duration::from_secs(30);

/// What counts as gone in these tests.
const GONE: Duration = Duration::from_secs(2);

pub(super) async fn each_consumer_is_listed_with_what_it_holds(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (one, two) = (fixture.open("one").await?, fixture.open("two").await?);
    let group = fixture.group("two")?;
    ensure!(group.stream() == one.name());
    publish(fixture, 10).await?;
    let held = take(&one, 10).await?;
    ensure!(two.next_batch().await?.is_empty());

    let listed = group.consumers().await?;
    ensure!(listed.is_sorted_by(|one, other| one.name < other.name), "{listed:?}");
    let (first, second) = (found(&listed, "one")?, found(&listed, "two")?);
    ensure!((first.own, first.pending) == (false, 10), "{first:?}");
    ensure!(first.oldest_pending == held.first().map(|delivery| delivery.receipt.entry_id()), "{first:?}");
    ensure!((second.own, second.pending, second.oldest_pending) == (true, 0, None), "{second:?}");

    acknowledge(&one, held).await?;
    let listed = group.consumers().await?;
    let first = found(&listed, "one")?;
    ensure!((first.pending, first.oldest_pending) == (0, None), "{first:?}");
    Ok(())
}

pub(super) async fn one_that_asks_is_not_idle(fixture: &impl StreamFixture) -> anyhow::Result<()> {
    let (one, group) = (fixture.open("one").await?, fixture.group("two")?);
    one.next_batch().await?;
    until_idle(&*group, "one", GONE).await;
    one.next_batch().await?;
    let listed = group.consumers().await?;
    ensure!(found(&listed, "one")?.idle < GONE, "{listed:?}");
    Ok(())
}

pub(super) async fn only_those_that_hold_nothing_and_do_not_ask_are_forgotten(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let [own, holds, asks, gone] = ["own", "holds", "asks", "gone"].map(|name| fixture.open(name));
    let (own, holds, asks, gone) = (own.await?, holds.await?, asks.await?, gone.await?);
    let group = fixture.group("own")?;
    publish(fixture, 1).await?;
    let held = take(&holds, 1).await?;
    for stream in [&own, &asks, &gone] {
        stream.next_batch().await?;
    }
    for name in ["own", "holds", "gone"] {
        until_idle(&*group, name, GONE).await;
    }
    asks.next_batch().await?;

    ensure!(group.forget(Duration::from_hours(1)).await?.is_empty());
    let forgotten = group.forget(GONE).await?;
    ensure!(forgotten.iter().any(|name| **name == *"gone"), "{forgotten:?}");
    let left = group.consumers().await?;
    for name in ["own", "holds", "asks"] {
        ensure!(!forgotten.iter().any(|gone| **gone == *name), "{forgotten:?}");
        found(&left, name)?;
    }
    ensure!(found(&left, "gone").is_err(), "{left:?}");
    acknowledge(&holds, held).await?;
    until_idle(&*group, "holds", GONE).await;
    ensure!(group.forget(GONE).await?.iter().any(|name| **name == *"holds"));
    Ok(())
}

pub(super) async fn what_one_holds_that_is_gone_is_taken_over_and_then_it_is_forgotten(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (gone, one) = (fixture.open("gone").await?, fixture.open("one").await?);
    let group = fixture.group("one")?;
    publish(fixture, 10).await?;
    let held = take(&gone, 10).await?;
    drop((held, gone));
    until_idle(&*group, "gone", fixture.claim_idle().max(GONE)).await;
    ensure!(group.forget(GONE).await?.iter().all(|name| **name != *"gone"), "it holds entries");
    let taken = eventually(PATIENCE, "what is pending is taken over", async || {
        let taken = one.reclaim().await.map_err(|error| error.to_string())?;
        if taken.is_empty() { Err("nothing".to_owned()) } else { Ok(taken) }
    })
    .await;
    ensure!(taken.len() == 10, "{taken:?}");
    ensure!(group.forget(GONE).await?.iter().any(|name| **name == *"gone"));
    acknowledge(&one, taken).await
}

pub(super) async fn one_that_was_forgotten_and_asks_again_is_there_again(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (one, group) = (fixture.open("one").await?, fixture.group("two")?);
    one.next_batch().await?;
    until_idle(&*group, "one", GONE).await;
    ensure!(group.forget(GONE).await?.iter().any(|name| **name == *"one"));
    publish(fixture, 10).await?;
    let received = take(&one, 10).await?;
    let listed = group.consumers().await?;
    ensure!(found(&listed, "one")?.pending == 10, "{listed:?}");
    acknowledge(&one, received).await
}

/// While two consumers read, and hold what they read, all that can be forgotten is forgotten without a pause.
pub(super) async fn however_often_it_is_done_nothing_that_is_pending_is_lost(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (publisher, group) = (fixture.publisher().await?, fixture.group("janitor")?);
    let publishing = tokio::spawn(async move {
        for sample in records(100, 20) {
            publisher.publish(&[sample.payload]).await?;
        }
        anyhow::Ok(())
    });
    let done = Arc::new(AtomicBool::new(false));
    let reading = [fixture.open("one").await?, fixture.open("two").await?].map(|reader| {
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            let mut held = 0;
            while !done.load(Ordering::SeqCst) {
                held += reader.next_batch().await?.len() as u64;
            }
            anyhow::Ok(held)
        })
    });
    while !publishing.is_finished() {
        group.forget(Duration::ZERO).await?;
        tokio::task::yield_now().await;
    }
    publishing.await??;
    done.store(true, Ordering::SeqCst);
    let mut held = 0;
    for reading in reading {
        held += timeout(PATIENCE, reading).await???;
    }
    let pending: u64 = group.consumers().await?.iter().map(|consumer| consumer.pending).sum();
    ensure!(pending == held, "{held} entries were delivered and {pending} are pending");
    ensure!(held > 0);
    Ok(())
}

async fn publish(fixture: &impl StreamFixture, count: u32) -> anyhow::Result<()> {
    let payloads: Vec<_> = records(count, 1).map(|sample| sample.payload).collect();
    Ok(fixture.publisher().await?.publish(&payloads).await?)
}

async fn take(stream: &Arc<dyn PositionStream>, count: usize) -> anyhow::Result<Vec<Delivery>> {
    let taking = async {
        let mut received = Vec::new();
        while received.len() < count {
            received.extend(stream.next_batch().await?);
        }
        anyhow::Ok(received)
    };
    timeout(PATIENCE, taking).await.context("not all entries were delivered")?
}

async fn acknowledge(stream: &Arc<dyn PositionStream>, received: Vec<Delivery>) -> anyhow::Result<()> {
    let settled: Vec<_> =
        received.into_iter().map(|delivery| delivery.receipt.settle(Outcome::Stored)).collect();
    Ok(stream.acknowledge(&settled).await?)
}

fn found<'a>(listed: &'a [Consumer], name: &str) -> anyhow::Result<&'a Consumer> {
    let found = listed.iter().find(|consumer| *consumer.name == *name);
    found.with_context(|| format!("no {name} in {listed:?}"))
}

async fn until_idle(group: &dyn ConsumerGroup, name: &str, idle: Duration) {
    eventually(PATIENCE, "the consumer is idle for long enough", async || {
        let listed = group.consumers().await.map_err(|error| error.to_string())?;
        let found = found(&listed, name).map_err(|error| error.to_string())?;
        if found.idle > idle { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}
