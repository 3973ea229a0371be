use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use processor_domain::ports::PositionStream;
use processor_domain::{
    DeadLetterReason, Delivery, DeviceId, EntryId, Outcome, Receipt, Record, Settled, Timestamp,
};
use processor_tests::{Sample, eventually, records};
use tokio::time::{Instant, sleep, timeout};

use super::StreamFixture;

mod producers;

pub(super) use producers::the_trace_of_a_producer_is_delivered_and_one_that_is_malformed_is_not;

type Stream = Arc<dyn PositionStream>;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn what_was_written_before_the_first_start_is_delivered(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let sent = publish(fixture, records(100, 10)).await?;
    let stream = fixture.open("one").await?;
    ensure!(!stream.name().is_empty());
    let received = take(&stream, 1_000).await?;
    ensure!(keys(&received) == sent.iter().map(|sample| sample.key).collect::<Vec<_>>());
    Ok(())
}

pub(super) async fn entries_come_in_the_order_of_the_stream_and_for_the_first_time(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    let mut last = EntryId::default();
    for second in 0..5 {
        let sent = publish(fixture, records(50, second + 1).skip(50 * second as usize)).await?;
        let received = take(&stream, 50).await?;
        ensure!(keys(&received) == sent.iter().map(|sample| sample.key).collect::<Vec<_>>());
        for delivery in &received {
            let id = delivery.receipt.entry_id();
            ensure!(id > last, "{id} after {last}");
            ensure!(delivery.deliveries == 1, "{} deliveries", delivery.deliveries);
            let Record::Position(position) = &delivery.record else { unreachable!("it has a key") };
            ensure!(position.received_at == id.received_at(), "received when its entry was made");
            last = id;
        }
        acknowledge(&stream, received).await?;
    }
    Ok(())
}

pub(super) async fn a_lone_entry_is_delivered_at_once(fixture: &impl StreamFixture) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    let publisher = fixture.publisher().await?;
    for sample in records(3, 1) {
        let reader = Arc::clone(&stream);
        let reading = tokio::spawn(async move { (take(&reader, 1).await, Instant::now()) });
        // Not for a condition: in this time the reader comes to wait for an entry, which is what is tried here.
        sleep(Duration::from_millis(300)).await;
        let sent = Instant::now();
        publisher.publish(std::slice::from_ref(&sample.payload)).await?;
        let (received, at) = reading.await?;
        ensure!(keys(&received?) == [sample.key]);
        ensure!(at - sent < Duration::from_millis(500), "it took {:?}", at - sent);
    }
    Ok(())
}

pub(super) async fn no_entry_for_about_a_second_is_an_empty_batch(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    let asked = Instant::now();
    let received = stream.next_batch().await?;
    ensure!(received.is_empty(), "{received:?}");
    let waited = asked.elapsed();
    ensure!((Duration::from_millis(500)..Duration::from_secs(3)).contains(&waited), "it took {waited:?}");
    Ok(())
}

pub(super) async fn an_entry_in_hand_is_not_delivered_again(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    publish(fixture, records(10, 1)).await?;
    let in_hand = take(&stream, 10).await?;
    while_waiting(fixture, async || {
        let again = both(stream.next_batch().await?, stream.reclaim().await?);
        ensure!(again.is_empty(), "delivered again: {again:?}");
        Ok(())
    })
    .await?;
    let sent = publish(fixture, records(10, 2).skip(10)).await?;
    let received = take(&stream, 10).await?;
    ensure!(keys(&received) == sent.iter().map(|sample| sample.key).collect::<Vec<_>>());
    acknowledge(&stream, in_hand).await
}

pub(super) async fn what_was_left_pending_comes_first_and_counts_as_delivered_twice(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    let sent = publish(fixture, records(10, 1)).await?;
    let mut received = take(&stream, 10).await?;
    let left = received.split_off(4);
    acknowledge(&stream, received).await?;
    drop((left, stream));
    let later = publish(fixture, records(10, 2).skip(10)).await?;

    let stream = fixture.open("one").await?;
    let received = take(&stream, 16).await?;
    let expected: Vec<_> = sent[4..].iter().chain(&later).map(|sample| sample.key).collect();
    ensure!(keys(&received) == expected, "{received:?}");
    let deliveries: Vec<_> = received.iter().map(|delivery| delivery.deliveries).collect();
    ensure!(deliveries == [[2; 6].as_slice(), &[1; 10]].concat(), "{deliveries:?}");
    acknowledge(&stream, received).await
}

pub(super) async fn a_backlog_comes_in_bounded_batches_and_so_does_what_was_left_pending(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let sent = publish(fixture, records(500, 10)).await?;
    for deliveries in 1..=2 {
        let stream = fixture.open("one").await?;
        let mut received = Vec::new();
        while received.len() < sent.len() {
            let batch = stream.next_batch().await?;
            ensure!((1..=fixture.batch_size()).contains(&batch.len()), "a batch of {}", batch.len());
            received.extend(batch);
        }
        ensure!(keys(&received) == sent.iter().map(|sample| sample.key).collect::<Vec<_>>());
        ensure!(received.iter().all(|delivery| delivery.deliveries == deliveries));
    }
    Ok(())
}

pub(super) async fn what_was_acknowledged_never_comes_back(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    publish(fixture, records(10, 1)).await?;
    let received = take(&stream, 10).await?;
    acknowledge(&stream, received).await?;
    ensure!(stream.standing().await?.pending == 0);
    drop(stream);

    let (stream, other) = (fixture.open("one").await?, fixture.open("two").await?);
    while_waiting(fixture, async || {
        let read = both(stream.next_batch().await?, other.next_batch().await?);
        let again = both(read, other.reclaim().await?);
        ensure!(again.is_empty(), "came back: {again:?}");
        Ok(())
    })
    .await
}

pub(super) async fn acknowledging_what_is_not_pending_does_no_harm(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    publish(fixture, records(3, 1)).await?;
    let received = take(&stream, 3).await?;
    let ids: Vec<_> = received.iter().map(|delivery| delivery.receipt.entry_id()).collect();
    acknowledge(&stream, received).await?;

    let never = EntryId { millis: 1, sequence: 1 };
    let stale = ids.iter().copied().chain([never]).map(settled).collect::<Vec<_>>();
    stream.acknowledge(&stale).await?;
    stream.acknowledge(&[]).await?;
    ensure!(stream.standing().await?.pending == 0);
    Ok(())
}

pub(super) async fn two_consumers_share_what_there_is(fixture: &impl StreamFixture) -> anyhow::Result<()> {
    const SENT: usize = 2_000;
    let (one, two) = (fixture.open("one").await?, fixture.open("two").await?);
    let delivered = AtomicUsize::new(0);
    let read = async |stream: &Stream| {
        let mut received = Vec::new();
        while delivered.load(Ordering::SeqCst) < SENT {
            let batch = stream.next_batch().await?;
            delivered.fetch_add(batch.len(), Ordering::SeqCst);
            received.extend(batch);
        }
        anyhow::Ok(received)
    };
    let publishing = async {
        let mut sent = BTreeSet::new();
        for second in 0..20 {
            let samples = publish(fixture, records(100, second + 1).skip(100 * second as usize)).await?;
            sent.extend(samples.into_iter().map(|sample| sample.key));
        }
        anyhow::Ok(sent)
    };
    let all = async { tokio::try_join!(publishing, read(&one), read(&two)) };
    let (sent, of_one, of_two) = timeout(PATIENCE, all).await.with_context(|| {
        format!("{} of {SENT} entries were delivered", delivered.load(Ordering::SeqCst))
    })??;
    let received = both(of_one, of_two);
    let ids: BTreeSet<_> = received.iter().map(|delivery| delivery.receipt.entry_id()).collect();
    ensure!(ids.len() == received.len(), "an entry was delivered to both");
    ensure!(keys(&received).into_iter().collect::<BTreeSet<_>>() == sent);
    Ok(())
}

pub(super) async fn what_is_left_alone_is_taken_over_after_a_while_and_not_before(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (one, two) = (fixture.open("one").await?, fixture.open("two").await?);
    let sent = publish(fixture, records(10, 1)).await?;
    let before = Instant::now();
    let abandoned = take(&one, 10).await?;
    drop((abandoned, one));

    let mut taken: Vec<Delivery> = Vec::new();
    eventually(PATIENCE, "all that was left alone is taken over", async || {
        match two.reclaim().await {
            Ok(batch) => taken.extend(batch),
            Err(error) => return Err(error.to_string()),
        }
        if taken.len() >= 10 { Ok(()) } else { Err(format!("{} were", taken.len())) }
    })
    .await;
    let after = before.elapsed();
    ensure!(after >= fixture.claim_idle(), "taken over after {after:?}");
    ensure!(keys(&taken) == sent.iter().map(|sample| sample.key).collect::<Vec<_>>());
    ensure!(taken.iter().all(|delivery| delivery.deliveries == 2), "{taken:?}");
    acknowledge(&two, taken).await?;
    ensure!(two.standing().await?.pending == 0);
    Ok(())
}

pub(super) async fn what_is_kept_in_flight_is_not_taken_over(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (one, two) = (fixture.open("one").await?, fixture.open("two").await?);
    publish(fixture, records(10, 1)).await?;
    let in_hand = take(&one, 10).await?;
    while_waiting(fixture, async || {
        one.keep_in_flight().await?;
        let taken = two.reclaim().await?;
        ensure!(taken.is_empty(), "taken over: {taken:?}");
        Ok(())
    })
    .await?;
    acknowledge(&one, in_hand).await?;
    ensure!(one.standing().await?.pending == 0);
    Ok(())
}

pub(super) async fn an_entry_that_was_taken_over_belongs_to_the_one_who_took_it(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let (one, two) = (fixture.open("one").await?, fixture.open("two").await?);
    publish(fixture, records(1, 1)).await?;
    let slow = take(&one, 1).await?;
    let taken = eventually(PATIENCE, "the entry is taken over", async || match two.reclaim().await {
        Ok(batch) if batch.is_empty() => Err("nothing".to_owned()),
        Ok(batch) => Ok(batch),
        Err(error) => Err(error.to_string()),
    })
    .await;
    ensure!(taken.len() == 1);

    // Not taken over again while the new owner has it in hand, and not delivered to the old one.
    ensure!(two.reclaim().await?.is_empty());
    ensure!(two.next_batch().await?.is_empty());
    ensure!(one.next_batch().await?.is_empty());
    // Whoever is done with it first may say so; the other one does no harm.
    acknowledge(&one, slow).await?;
    acknowledge(&two, taken).await?;
    ensure!(two.standing().await?.pending == 0);
    Ok(())
}

pub(super) async fn what_cannot_be_a_position_is_delivered_with_its_bytes_and_the_reason(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let good = records(1, 1).next().context("one")?;
    let poison: [(&[u8], DeadLetterReason); 4] = [
        (b"not \xff JSON \x00", DeadLetterReason::NotJson),
        (
            br#"{"timestamp":"2026-05-01T10:00:00Z","latitude":1,"longitude":1}"#,
            DeadLetterReason::InvalidDevice,
        ),
        (br#"{"device_id":"1","latitude":1,"longitude":1}"#, DeadLetterReason::InvalidTime),
        (b"", DeadLetterReason::NotJson),
    ];
    let stream = fixture.open("one").await?;
    publish(fixture, poison.iter().map(|(payload, _)| Sample::undecodable(*payload)).chain([good.clone()]))
        .await?;
    let mut received = take(&stream, 5).await?;
    for (delivery, (sent, why)) in received.iter().zip(poison) {
        let Record::Undecodable { reason, detail, payload } = &delivery.record else {
            anyhow::bail!("decoded: {delivery:?}");
        };
        ensure!(**payload == *sent && *reason == why && !detail.is_empty(), "{delivery:?}");
    }
    ensure!(keys(&received.split_off(4)) == [good.key]);
    acknowledge(&stream, received).await
}

pub(super) async fn how_far_the_group_is_can_be_told(fixture: &impl StreamFixture) -> anyhow::Result<()> {
    let stream = fixture.open("one").await?;
    let nothing = stream.standing().await?;
    ensure!((nothing.pending, nothing.oldest_unprocessed) == (0, None), "{nothing:?}");
    ensure!(nothing.lag.is_none_or(|lag| lag == 0), "{nothing:?}");

    publish(fixture, records(10, 1)).await?;
    let unread = stream.standing().await?;
    ensure!((unread.lag, unread.pending) == (Some(10), 0), "{unread:?}");

    let mut received = take(&stream, 10).await?;
    let first = received[0].receipt.entry_id().received_at();
    ensure!(unread.oldest_unprocessed == Some(first), "{unread:?}, and the first is of {first}");
    let pending = stream.standing().await?;
    ensure!((pending.lag, pending.pending) == (Some(0), 10), "{pending:?}");
    ensure!(pending.oldest_unprocessed == Some(first), "{pending:?}, and the first is of {first}");

    let rest = received.split_off(5);
    acknowledge(&stream, received).await?;
    let half = stream.standing().await?;
    ensure!(half.pending == 5, "{half:?}");
    ensure!(half.oldest_unprocessed == Some(rest[0].receipt.entry_id().received_at()), "{half:?}");
    acknowledge(&stream, rest).await?;
    let done = stream.standing().await?;
    ensure!((done.lag, done.pending, done.oldest_unprocessed) == (Some(0), 0, None), "{done:?}");
    ensure!(done.trimmed_unread == 0, "{done:?}");
    Ok(())
}

async fn publish(
    fixture: &impl StreamFixture,
    samples: impl IntoIterator<Item = Sample>,
) -> anyhow::Result<Vec<Sample>> {
    let samples: Vec<_> = samples.into_iter().collect();
    let payloads: Vec<_> = samples.iter().map(|sample| sample.payload.clone()).collect();
    fixture.publisher().await?.publish(&payloads).await?;
    Ok(samples)
}

/// The next so many entries, and not one more.
async fn take(stream: &Stream, count: usize) -> anyhow::Result<Vec<Delivery>> {
    let mut received = Vec::new();
    let taking = async {
        while received.len() < count {
            received.extend(stream.next_batch().await?);
        }
        anyhow::Ok(())
    };
    let taken = timeout(PATIENCE, taking).await;
    taken.with_context(|| format!("{} of {count} entries were delivered", received.len()))??;
    ensure!(received.len() == count, "{} entries were delivered in place of {count}", received.len());
    Ok(received)
}

async fn acknowledge(stream: &Stream, received: Vec<Delivery>) -> anyhow::Result<()> {
    let settled: Vec<_> = received.into_iter().map(|entry| entry.receipt.settle(Outcome::Stored)).collect();
    Ok(stream.acknowledge(&settled).await?)
}

fn settled(id: EntryId) -> Settled {
    Receipt::of(id).settle(Outcome::Stored)
}

fn both(mut one: Vec<Delivery>, two: Vec<Delivery>) -> Vec<Delivery> {
    one.extend(two);
    one
}

/// Device and time of each; none of what is no position.
fn keys(received: &[Delivery]) -> Vec<Option<(DeviceId, Timestamp)>> {
    let key = |delivery: &Delivery| match &delivery.record {
        Record::Position(position) => Some((position.device_id, position.ts)),
        _ => None,
    };
    received.iter().map(key).collect()
}

/// Looks again and again for twice the time after which entries are taken over: something must not happen.
async fn while_waiting(
    fixture: &impl StreamFixture,
    mut look: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let end = Instant::now() + 2 * fixture.claim_idle();
    while Instant::now() < end {
        look().await?;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
