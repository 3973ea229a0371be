//! A file of SQLite, in the same process.

mod attributes;
mod device_memory;
mod device_records;
mod enrolments;
mod failure;
mod history;
mod last_positions;
mod pools;
mod position_store;
mod roster_source;

pub use device_memory::SqliteDeviceMemory;
pub use device_records::SqliteDeviceRecords;
pub use enrolments::SqliteEnrolments;
pub use history::SqliteHistory;
pub use last_positions::SqliteLastPositions;
pub use position_store::SqlitePositionStore;
pub use roster_source::SqliteRosterSource;

pub(crate) use failure::unavailable;
pub(crate) use pools::Pools;
