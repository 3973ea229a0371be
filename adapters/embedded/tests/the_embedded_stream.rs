//! The contract of the stream, and what is particular to this one.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{Clock, DeadLetters, DeadLettersError, PositionPublisher, PositionStream};
use processor_domain::{
    DeadLetter, DeadLetterReason, DeadPayload, Delivery, EntryId, Outcome, Record, Standing, Timestamp,
    TraceParent, samples,
};
use processor_embedded::{EmbeddedPositionStream, EmbeddedSettings};
use tokio::time::{Instant, timeout};

/// A clock that stands until it is moved on.
struct HandClock(AtomicI64);

impl HandClock {
    fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(samples::at(text).micros())))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

const NOON: &str = "2026-05-01T12:00:00Z";

fn stream_with(settings: EmbeddedSettings, clock: Arc<HandClock>) -> EmbeddedPositionStream {
    EmbeddedPositionStream::new(settings, RecordCodec::new(Limits::default()), clock)
}

fn stream() -> EmbeddedPositionStream {
    stream_with(EmbeddedSettings::default(), HandClock::at(NOON))
}

fn room_for(entries: usize) -> NonZeroUsize {
    NonZeroUsize::new(entries).expect("not zero")
}

/// One record for each of these devices.
fn records(devices: impl IntoIterator<Item = u64>) -> Vec<Box<[u8]>> {
    let record = |device| RecordCodec::encode(&samples::position().ts(NOON).device(device).build());
    devices.into_iter().map(record).collect()
}

async fn batch(stream: &EmbeddedPositionStream) -> Vec<Delivery> {
    stream.next_batch().await.expect("an embedded stream is always available")
}

fn devices(deliveries: &[Delivery]) -> Vec<String> {
    let device = |delivery: &Delivery| match &delivery.record {
        Record::Position(position) => position.device_id.to_string().trim_start_matches('0').to_owned(),
        other => panic!("{other:?}"),
    };
    deliveries.iter().map(device).collect()
}

async fn acknowledge(stream: &EmbeddedPositionStream, deliveries: Vec<Delivery>) {
    let settled: Vec<_> =
        deliveries.into_iter().map(|delivery| delivery.receipt.settle(Outcome::Stored)).collect();
    stream.acknowledge(&settled).await.expect("an embedded stream is always available");
}

#[tokio::test(start_paused = true)]
async fn entries_come_in_order_with_the_time_of_receipt_in_their_id() {
    let clock = HandClock::at(NOON);
    let stream = stream_with(EmbeddedSettings::default(), Arc::clone(&clock));
    stream.publish(&records([1, 2])).await.unwrap();
    clock.advance(Duration::from_millis(5));
    stream.publish(&records([3])).await.unwrap();
    clock.advance(Duration::from_secs(1));

    let received = batch(&stream).await;
    assert_eq!(devices(&received), ["1", "2", "3"]);
    let noon = u64::try_from(samples::at(NOON).millis()).unwrap();
    let ids: Vec<_> = received.iter().map(|delivery| delivery.receipt.entry_id()).collect();
    let id = |millis, sequence| EntryId { millis: noon + millis, sequence };
    assert_eq!(ids, [id(0, 0), id(0, 1), id(5, 0)]);
    for delivery in &received {
        assert_eq!((delivery.deliveries, delivery.trace_parent), (1, None));
        let Record::Position(position) = &delivery.record else { panic!("{delivery:?}") };
        assert_eq!(position.received_at, delivery.receipt.entry_id().received_at());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_entry_is_delivered_at_once_and_none_is_an_empty_batch_after_the_block() {
    let stream = Arc::new(stream());
    let asked = Instant::now();
    assert_eq!(batch(&stream).await, []);
    assert_eq!(asked.elapsed(), Duration::from_secs(1));

    let reader = Arc::clone(&stream);
    let reading = tokio::spawn(async move { (devices(&batch(&reader).await), Instant::now()) });
    tokio::time::advance(Duration::from_millis(300)).await;
    let sent = Instant::now();
    stream.publish(&records([7])).await.unwrap();
    assert_eq!(reading.await.unwrap(), (vec!["7".to_owned()], sent));
}

#[tokio::test(start_paused = true)]
async fn what_was_left_pending_comes_first_after_a_start_in_bounded_batches() {
    let settings = EmbeddedSettings { batch_size: room_for(2), ..EmbeddedSettings::default() };
    let stream = stream_with(settings, HandClock::at(NOON));
    stream.publish(&records(1..=6)).await.unwrap();
    let settled = batch(&stream).await;
    drop((batch(&stream).await, batch(&stream).await));
    acknowledge(&stream, settled).await;
    stream.publish(&records([7])).await.unwrap();

    let again = stream.reopen();
    let mut deliveries = Vec::new();
    for expected in [["3", "4"].as_slice(), &["5", "6"], &["7"], &[]] {
        let received = batch(&again).await;
        assert_eq!(devices(&received), expected);
        deliveries.extend(received.iter().map(|delivery| delivery.deliveries));
    }
    assert_eq!(deliveries, [2, 2, 2, 2, 1]);
    assert_eq!(again.reopen().next_batch().await.unwrap()[0].deliveries, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_comes_neither_again_nor_to_another_consumer_before_its_time() {
    let clock = HandClock::at(NOON);
    let one = stream_with(EmbeddedSettings::default(), Arc::clone(&clock));
    let two = one.consumer("two");
    one.publish(&records([1, 2])).await.unwrap();
    let mut in_hand = batch(&one).await;
    assert_eq!(batch(&one).await, []);
    assert_eq!(batch(&two).await, []);
    assert_eq!(two.reclaim().await.unwrap(), []);

    clock.advance(Duration::from_secs(59));
    one.keep_in_flight().await.unwrap();
    clock.advance(Duration::from_secs(59));
    assert_eq!(two.reclaim().await.unwrap(), []);
    assert_eq!(one.reclaim().await.unwrap(), []);

    clock.advance(Duration::from_secs(1));
    assert_eq!(one.reclaim().await.unwrap(), [], "its own are not taken over");
    let taken = two.reclaim().await.unwrap();
    assert_eq!(devices(&taken), ["1", "2"]);
    assert!(taken.iter().all(|delivery| delivery.deliveries == 2));
    assert_eq!(two.reclaim().await.unwrap(), []);
    assert_eq!(batch(&one.reopen()).await, [], "they belong to the other one now");

    acknowledge(&one, vec![in_hand.remove(0)]).await;
    assert_eq!(one.standing().await.unwrap().pending, 1);
    acknowledge(&two, taken).await;
    acknowledge(&one, in_hand).await;
    assert_eq!(one.standing().await.unwrap(), Standing { lag: Some(0), ..Standing::default() });
}

#[tokio::test(start_paused = true)]
async fn publishing_waits_while_the_stream_is_full_and_pending_entries_count() {
    let settings = EmbeddedSettings { capacity: room_for(2), ..EmbeddedSettings::default() };
    let stream = Arc::new(stream_with(settings, HandClock::at(NOON)));
    let publisher = Arc::clone(&stream);
    let publishing = tokio::spawn(async move { publisher.publish(&records(1..=5)).await });

    for expected in [["1", "2"].as_slice(), &["3", "4"], &["5"]] {
        let received = batch(&stream).await;
        assert_eq!(devices(&received), expected);
        assert_eq!(batch(&stream).await, [], "there is no room for more");
        assert_eq!(stream.published().len(), expected.len());
        acknowledge(&stream, received).await;
    }
    publishing.await.unwrap().unwrap();
    assert_eq!(stream.published(), []);

    stream.publish(&records([6, 7])).await.unwrap();
    let long = Duration::from_hours(1);
    assert!(timeout(long, stream.publish(&records([8]))).await.is_err(), "nothing was acknowledged");
    assert_eq!(devices(&batch(&stream).await), ["6", "7"]);
}

#[tokio::test(start_paused = true)]
async fn two_consumers_that_wait_share_what_arrives() {
    let one = Arc::new(stream());
    let two = Arc::new(one.consumer("two"));
    let readers = [Arc::clone(&one), two].map(|reader| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 100 {
                let received = batch(&reader).await;
                if received.is_empty() {
                    break;
                }
                seen.extend(devices(&received));
                acknowledge(&reader, received).await;
            }
            seen
        })
    });
    for device in 0..100 {
        one.publish(&records([device + 1])).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut seen = Vec::new();
    for reader in readers {
        seen.extend(reader.await.unwrap());
    }
    seen.sort_by_key(|device| device.parse::<u64>().unwrap());
    assert_eq!(seen, (1..=100).map(|device: u64| device.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn how_far_the_group_is_is_exact() {
    let clock = HandClock::at(NOON);
    let settings = EmbeddedSettings { batch_size: room_for(2), ..EmbeddedSettings::default() };
    let stream = stream_with(settings, Arc::clone(&clock));
    let standing = async || stream.standing().await.unwrap();
    assert_eq!(standing().await, Standing { lag: Some(0), ..Standing::default() });

    stream.publish(&records([1, 2])).await.unwrap();
    clock.advance(Duration::from_secs(1));
    stream.publish(&records([3])).await.unwrap();
    let noon = samples::at(NOON);
    let expected = |lag, pending, oldest| Standing {
        lag: Some(lag),
        pending,
        oldest_unprocessed: Some(oldest),
        ..Standing::default()
    };
    assert_eq!(standing().await, expected(3, 0, noon));
    let received = batch(&stream).await;
    assert_eq!(standing().await, expected(1, 2, noon));
    acknowledge(&stream, received).await;
    assert_eq!(standing().await, expected(1, 0, noon.plus(Duration::from_secs(1))));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_position_and_the_trace_of_its_producer_are_delivered_too() {
    let stream = stream();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    stream.publish_traced(b"nonsense", trace).await.unwrap();
    let received = batch(&stream).await;
    assert_eq!(received[0].trace_parent, TraceParent::parse(trace.as_bytes()));
    let Record::Undecodable { reason, payload, .. } = &received[0].record else { panic!("{received:?}") };
    assert_eq!((reason, &**payload), (&DeadLetterReason::NotJson, b"nonsense".as_slice()));
}

#[tokio::test]
async fn dead_letters_are_kept_all_or_none_as_long_as_there_is_room() {
    let settings = EmbeddedSettings { dead_letter_capacity: 3, ..EmbeddedSettings::default() };
    let stream = stream_with(settings, HandClock::at(NOON));
    let letter = |sequence| DeadLetter {
        stream: stream.name().into(),
        entry_id: EntryId { millis: 1, sequence },
        reason: DeadLetterReason::NotJson,
        detail: "not JSON".into(),
        payload: DeadPayload::Raw((*b"nonsense").into()),
        deliveries: 1,
    };
    stream.keep(&[letter(1), letter(2)]).await.unwrap();
    let Err(DeadLettersError::Unavailable(cause)) = stream.keep(&[letter(3), letter(4)]).await else {
        panic!("there is room for three");
    };
    assert_eq!(cause.to_string(), "there is room for 3 dead letters and 2 are held");
    stream.consumer("two").keep(&[letter(5)]).await.unwrap();
    assert_eq!(stream.dead_letters(), [letter(1), letter(2), letter(5)]);
}
