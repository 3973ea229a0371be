//! What is particular to following a stream inside the process: there is room for the newest entries only.

use std::num::NonZeroUsize;
use std::sync::Arc;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{PositionFeed, PositionPublisher, SystemClock};
use processor_domain::samples;
use processor_embedded::{EmbeddedPositionFeed, EmbeddedPositionStream, EmbeddedSettings};

/// A stream that keeps the newest 16 entries for feeds, which get 10 at a time.
fn stream() -> EmbeddedPositionStream {
    let settings = EmbeddedSettings {
        feed_capacity: room_for(16),
        batch_size: room_for(10),
        ..EmbeddedSettings::default()
    };
    EmbeddedPositionStream::new(settings, RecordCodec::new(Limits::default()), Arc::new(SystemClock))
}

fn room_for(entries: usize) -> NonZeroUsize {
    NonZeroUsize::new(entries).expect("not zero")
}

/// One record for each of these devices.
async fn publish(stream: &EmbeddedPositionStream, devices: std::ops::Range<u64>) {
    let record = |device| RecordCodec::encode(&samples::position().device(device).build());
    stream.publish(&devices.map(record).collect::<Vec<_>>()).await.expect("there is room");
}

/// The devices of the next positions.
async fn seen(feed: &EmbeddedPositionFeed) -> Vec<String> {
    let seen = feed.follow().await.expect("an embedded stream is always available");
    seen.iter().map(|observed| observed.position.device_id.to_string()).collect()
}

fn devices(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| samples::device(number).to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_keep_up_skips_the_oldest_and_goes_on_in_order() {
    let stream = stream();
    let (slow, quick) = (stream.feed(), stream.feed());
    for ten in 0..10 {
        publish(&stream, 10 * ten..10 * ten + 10).await;
        assert_eq!(seen(&quick).await, devices(10 * ten..10 * ten + 10));
    }
    assert_eq!(seen(&slow).await, devices(84..94));
    assert_eq!(seen(&slow).await, devices(94..100));
    assert_eq!(seen(&slow).await, devices(0..0));
    assert_eq!((slow.skipped(), quick.skipped()), (84, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_published_before_it_followed_is_not_seen() {
    let stream = stream();
    publish(&stream, 0..5).await;
    let feed = stream.feed();
    assert_eq!(seen(&feed).await, devices(0..0));
    publish(&stream, 5..8).await;
    assert_eq!(seen(&feed).await, devices(5..8));
}

#[tokio::test(start_paused = true)]
async fn it_can_be_closed_and_outlive_the_stream_that_it_was_made_of() {
    let stream = stream();
    let feed = stream.feed();
    publish(&stream, 0..3).await;
    drop(stream);
    assert_eq!(seen(&feed).await, devices(0..3));
    assert_eq!(seen(&feed).await, devices(0..0));
    feed.close().await.expect("nothing to take away");
}
