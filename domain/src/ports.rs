//! What the application needs of the outside world, in the words of the domain.
//!
//! | port | in one sentence |
//! |---|---|
//! | [`PositionStream`] | where positions come from: deliver, acknowledge, reclaim |
//! | [`PositionStore`] | where positions are kept: commit a batch, whole or not at all, twice is once |
//! | [`DeviceMemory`] | what the store remembers of devices that are not in memory |
//! | [`DeadLetters`] | where records are set aside that cannot be positions |
//! | [`PositionPublisher`] | puts records onto a stream: replay, simulator, redrive |
//! | [`PositionFeed`] | positions as they happen, for watching: follow |
//! | [`LastPositions`] | the last known picture, for a viewer's first frame |
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
mod dead_letters;
mod device_memory;
mod device_records;
mod enrolments;
mod last_positions;
mod position_feed;
mod position_publisher;
mod position_store;
mod position_stream;
mod roster_source;

pub use access::{Access, AccessError};
pub use clock::{Clock, SystemClock};
pub use dead_letters::{DeadLetters, DeadLettersError};
pub use device_memory::DeviceMemory;
pub use device_records::DeviceRecords;
pub use enrolments::Enrolments;
pub use last_positions::LastPositions;
pub use position_feed::{Observed, PositionFeed};
pub use position_publisher::{PositionPublisher, PublishError};
pub use position_store::{PositionStore, StoreError, Verdict};
pub use position_stream::{PositionStream, StreamError};
pub use roster_source::RosterSource;

#[cfg(feature = "test-doubles")]
pub use {
    access::MockAccess, clock::MockClock, dead_letters::MockDeadLetters, device_memory::MockDeviceMemory,
    device_records::MockDeviceRecords, enrolments::MockEnrolments, last_positions::MockLastPositions,
    position_feed::MockPositionFeed, position_publisher::MockPositionPublisher,
    position_store::MockPositionStore, position_stream::MockPositionStream, roster_source::MockRosterSource,
};

/// The cause of a port's error, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
