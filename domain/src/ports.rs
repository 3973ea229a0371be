//! What the application needs of the outside world, in the words of the domain.
//!
//! | port | in one sentence |
//! |---|---|
//! | [`PositionStream`] | where positions come from: deliver, acknowledge, reclaim |
//! | [`PositionStore`] | where positions are kept: commit a batch, whole or not at all, twice is once |
//! | [`DeviceMemory`] | what the store remembers of devices that are not in memory |
//! | [`ConsumerGroup`] | who reads a stream, and what is left with whom |
//! | [`DeadLetters`] | where records are set aside that cannot be positions |
//! | [`DeadLetterQueue`] | the same for those who look through them: list, count, show, discard |
//! | [`PositionPublisher`] | puts records onto a stream: replay, simulator, redrive |
//! | [`PositionFeed`] | positions as they happen, for watching: follow |
//! | [`LastPositions`] | the last known picture, for a viewer's first frame |
//! | [`History`] | positions of devices over a time, page by page |
//! | [`Marks`] | what operators say of positions, and the positions brought in line with it |
//! | [`RosterSource`] | which devices take part in which events |
//! | [`DeviceRecords`] | what the store has of one device |
//! | [`Enrolments`] | what the CMS has of one device |
//! | [`Access`] | who is this, may they see this event |
//! | [`Clock`] | now |
//!
//! Ports are shared as `Arc<dyn Port>`: a virtual call and a boxed future cost nothing that can be measured,
//! since they are paid for a batch and never for a record. Every port's contract is written down as a suite in
//! `tests/contracts`, which runs on each implementation.
//!
//! Errors say what the caller can do, not what went wrong inside: the cause travels as `source`.

mod access;
mod clock;
mod consumer_group;
mod dead_letter_queue;
mod dead_letters;
mod device_memory;
mod device_records;
mod enrolments;
mod history;
mod last_positions;
mod marks;
mod position_feed;
mod position_publisher;
mod position_store;
mod position_stream;
mod roster_source;
mod store_failure;

pub use access::{Access, AccessError};
pub use clock::{Clock, SystemClock};
pub use consumer_group::ConsumerGroup;
pub use dead_letter_queue::{DeadLetterQueue, DeadLetterQueueError};
pub use dead_letters::{DeadLetters, DeadLettersError};
pub use device_memory::DeviceMemory;
pub use device_records::DeviceRecords;
pub use enrolments::Enrolments;
pub use history::{History, HistoryPage};
pub use last_positions::LastPositions;
pub use marks::{Changes, MarkError, MarkQuery, Marked, Marks};
pub use position_feed::{Observed, PositionFeed};
pub use position_publisher::{PositionPublisher, PublishError};
pub use position_store::{PositionStore, StoreError, Verdict};
pub use position_stream::{PositionStream, StreamError};
pub use roster_source::RosterSource;
pub use store_failure::StoreFailure;

#[cfg(feature = "test-doubles")]
pub use {
    access::MockAccess, clock::MockClock, consumer_group::MockConsumerGroup,
    dead_letter_queue::MockDeadLetterQueue, dead_letters::MockDeadLetters, device_memory::MockDeviceMemory,
    device_records::MockDeviceRecords, enrolments::MockEnrolments, history::MockHistory,
    last_positions::MockLastPositions, marks::MockMarks, position_feed::MockPositionFeed,
    position_publisher::MockPositionPublisher, position_store::MockPositionStore,
    position_stream::MockPositionStream, roster_source::MockRosterSource,
};

/// The cause of a port's error, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
