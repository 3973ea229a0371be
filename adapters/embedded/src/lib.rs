//! A stream of positions inside the process, for running without any server, and for tests.
//!
//! [`EmbeddedPositionStream`] keeps the same contract as a Redis stream with one consumer group: entries stay
//! pending until they are acknowledged, a consumer that comes back is given first what it left pending, and what
//! one that does not come back left pending can be taken over. It is the stream, its group, the publisher and the
//! place of the dead letters in one. [`EmbeddedPositionFeed`] follows it without taking anything. Nothing of it outlives the
//! process.

mod consumer_group;
mod dead_letter_queue;
mod dead_letters;
mod fixed_roster;
mod log;
mod open_access;
mod position_feed;
mod position_publisher;
mod position_stream;

use std::num::NonZeroUsize;
use std::time::Duration;

pub use fixed_roster::FixedRoster;
pub use open_access::OpenAccess;
pub use position_feed::EmbeddedPositionFeed;
pub use position_stream::EmbeddedPositionStream;

/// How an [`EmbeddedPositionStream`] is.
#[derive(Debug, Clone)]
pub struct EmbeddedSettings {
    /// The name of the stream, for dead letters and logs.
    pub name: Box<str>,
    /// Most entries in the stream, pending ones included. Publishing waits while there are so many.
    pub capacity: NonZeroUsize,
    /// Most entries in a batch.
    pub batch_size: NonZeroUsize,
    /// How long to wait for an entry before an empty batch is given.
    pub block: Duration,
    /// How long an entry is left to a consumer before another one may take it over.
    pub claim_idle: Duration,
    /// Most dead letters. When there are so many, no more can be kept, and records that need it stay pending.
    pub dead_letter_capacity: usize,
    /// How many entries a feed may be behind at least before it skips the oldest of them. The room is shared by
    /// all feeds.
    pub feed_capacity: NonZeroUsize,
}

impl Default for EmbeddedSettings {
    /// Room for 100,000 entries and 10,000 dead letters; batches of 1,000; waits 1 s for an entry and 60 s for a
    /// consumer. A feed may be 10,000 entries behind.
    fn default() -> Self {
        Self {
            name: "embedded".into(),
            capacity: NonZeroUsize::new(100_000).unwrap_or(NonZeroUsize::MIN),
            batch_size: NonZeroUsize::new(1_000).unwrap_or(NonZeroUsize::MIN),
            block: Duration::from_secs(1),
            claim_idle: Duration::from_mins(1),
            dead_letter_capacity: 10_000,
            feed_capacity: NonZeroUsize::new(10_000).unwrap_or(NonZeroUsize::MIN),
        }
    }
}
