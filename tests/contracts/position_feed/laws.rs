use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use processor_domain::ports::{Observed, PositionFeed};
use processor_domain::{DeviceId, EntryId, Outcome, Timestamp};
use processor_tests::{Sample, records};
use tokio::time::{Instant, sleep, timeout};

use super::FeedFixture;

type Feed = Arc<dyn PositionFeed>;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn begins_with_what_arrives_after_it_was_opened(
    fixture: &impl FeedFixture,
) -> anyhow::Result<()> {
    publish(fixture, records(100, 10)).await?;
    let feed = fixture.follow("one").await?;
    let sent = publish(fixture, records(10, 11).skip(100)).await?;
    ensure!(keys(&see(&feed, 10).await?) == sent);
    Ok(())
}

pub(super) async fn each_instance_sees_every_position_in_the_order_of_the_stream(
    fixture: &impl FeedFixture,
) -> anyhow::Result<()> {
    let (one, two) = (fixture.follow("one").await?, fixture.follow("two").await?);
    let publishing = async {
        let mut sent = Vec::new();
        for second in 0..20 {
            sent.extend(publish(fixture, records(100, second + 1).skip(100 * second as usize)).await?);
        }
        anyhow::Ok(sent)
    };
    let (sent, by_one, by_two) = tokio::try_join!(publishing, see(&one, 2_000), see(&two, 2_000))?;
    ensure!(keys(&by_one) == sent);
    ensure!(by_one == by_two);
    ensure!(by_one.is_sorted_by(|earlier, later| earlier.entry_id < later.entry_id));
    for observed in by_one {
        ensure!(observed.position.received_at == observed.entry_id.received_at(), "{observed:?}");
    }
    Ok(())
}

pub(super) async fn a_lone_position_is_seen_at_once(fixture: &impl FeedFixture) -> anyhow::Result<()> {
    let feed = fixture.follow("one").await?;
    let publisher = fixture.publisher().await?;
    for sample in records(3, 1) {
        let follower = Arc::clone(&feed);
        let following = tokio::spawn(async move { (see(&follower, 1).await, Instant::now()) });
        // Not for a condition: in this time the feed comes to wait for an entry, which is what is tried here.
        sleep(Duration::from_millis(300)).await;
        let sent = Instant::now();
        publisher.publish(std::slice::from_ref(&sample.payload)).await?;
        let (seen, at) = following.await?;
        ensure!(keys(&seen?) == [sample.key]);
        ensure!(at - sent < Duration::from_millis(500), "it took {:?}", at - sent);
    }
    Ok(())
}

pub(super) async fn no_entry_for_about_a_second_is_nothing(fixture: &impl FeedFixture) -> anyhow::Result<()> {
    let feed = fixture.follow("one").await?;
    let asked = Instant::now();
    let seen = feed.follow().await?;
    ensure!(seen.is_empty(), "{seen:?}");
    let waited = asked.elapsed();
    ensure!((Duration::from_millis(500)..Duration::from_secs(3)).contains(&waited), "it took {waited:?}");
    Ok(())
}

pub(super) async fn what_cannot_be_a_position_is_left_out(fixture: &impl FeedFixture) -> anyhow::Result<()> {
    let feed = fixture.follow("one").await?;
    let poison = || Sample::undecodable(*b"not \xff JSON \x00");
    let good: Vec<_> = records(3, 1).collect();
    publish(fixture, [poison()]).await?;
    let mixed = good.iter().flat_map(|sample| [sample.clone(), poison(), Sample::undecodable(*b"")]);
    publish(fixture, mixed).await?;
    let seen = see(&feed, 3).await?;
    ensure!(keys(&seen) == good.iter().map(|sample| sample.key).collect::<Vec<_>>(), "{seen:?}");
    Ok(())
}

pub(super) async fn what_came_in_between_comes_in_bounded_batches(
    fixture: &impl FeedFixture,
) -> anyhow::Result<()> {
    let feed = fixture.follow("one").await?;
    let sent = publish(fixture, records(500, 10)).await?;
    let mut seen = Vec::new();
    while seen.len() < sent.len() {
        let batch = timeout(PATIENCE, feed.follow()).await??;
        ensure!((1..=fixture.batch_size()).contains(&batch.len()), "a batch of {}", batch.len());
        seen.extend(batch);
    }
    ensure!(keys(&seen) == sent);
    Ok(())
}

pub(super) async fn following_takes_nothing_from_those_who_read(
    fixture: &impl FeedFixture,
) -> anyhow::Result<()> {
    let (feed, stream) = (fixture.follow("one").await?, fixture.read().await?);
    let sent = publish(fixture, records(10, 1)).await?;
    let seen = see(&feed, 10).await?;
    ensure!(keys(&seen) == sent);

    let mut received = Vec::new();
    while received.len() < 10 {
        received.extend(timeout(PATIENCE, stream.next_batch()).await??);
    }
    let ids: Vec<EntryId> = received.iter().map(|delivery| delivery.receipt.entry_id()).collect();
    ensure!(ids == seen.iter().map(|observed| observed.entry_id).collect::<Vec<_>>());
    ensure!(stream.standing().await?.pending == 10);
    let settled: Vec<_> = received.into_iter().map(|entry| entry.receipt.settle(Outcome::Stored)).collect();
    stream.acknowledge(&settled).await?;
    feed.close().await?;
    let standing = stream.standing().await?;
    ensure!((standing.pending, standing.group_recreated) == (0, 0), "{standing:?}");
    Ok(())
}

pub(super) async fn closing_one_does_not_touch_the_others(fixture: &impl FeedFixture) -> anyhow::Result<()> {
    let (one, two) = (fixture.follow("one").await?, fixture.follow("two").await?);
    let sent = publish(fixture, records(10, 1)).await?;
    ensure!(keys(&see(&one, 10).await?) == sent);
    one.close().await?;
    ensure!(keys(&see(&two, 10).await?) == sent);
    Ok(())
}

pub(super) async fn what_was_opened_anew_begins_anew(fixture: &impl FeedFixture) -> anyhow::Result<()> {
    let before = fixture.follow("one").await?;
    let sent = publish(fixture, records(10, 1)).await?;
    ensure!(keys(&see(&before, 10).await?) == sent);
    // As a process that ends without a word; what comes meanwhile is not for the next one.
    drop(before);
    publish(fixture, records(10, 2).skip(10)).await?;

    let after = fixture.follow("one").await?;
    let sent = publish(fixture, records(10, 3).skip(20)).await?;
    ensure!(keys(&see(&after, 10).await?) == sent);
    Ok(())
}

/// Appends these, and returns their keys.
async fn publish(
    fixture: &impl FeedFixture,
    samples: impl IntoIterator<Item = Sample>,
) -> anyhow::Result<Vec<Option<(DeviceId, Timestamp)>>> {
    let (keys, payloads): (Vec<_>, Vec<_>) =
        samples.into_iter().map(|sample| (sample.key, sample.payload)).unzip();
    fixture.publisher().await?.publish(&payloads).await?;
    Ok(keys)
}

/// The next so many positions, and not one more.
async fn see(feed: &Feed, count: usize) -> anyhow::Result<Vec<Observed>> {
    let mut seen = Vec::new();
    let following = async {
        while seen.len() < count {
            seen.extend(feed.follow().await?);
        }
        anyhow::Ok(())
    };
    let followed = timeout(PATIENCE, following).await;
    followed.with_context(|| format!("{} of {count} positions were seen", seen.len()))??;
    ensure!(seen.len() == count, "{} positions were seen in place of {count}", seen.len());
    Ok(seen)
}

/// Device and time of each.
fn keys(seen: &[Observed]) -> Vec<Option<(DeviceId, Timestamp)>> {
    seen.iter().map(|observed| Some((observed.position.device_id, observed.position.ts))).collect()
}
