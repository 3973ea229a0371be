//! PostgreSQL, with TimescaleDB or without.

mod copy;
mod copy_backoff;
mod deadline;
mod device_memory;
mod device_records;
mod enrolments;
mod failure;
mod history;
mod last_positions;
mod lease;
mod moment;
mod pools;
mod position_store;
mod roster_source;
mod unite;
mod writers;

pub use device_memory::TimescaleDeviceMemory;
pub use device_records::TimescaleDeviceRecords;
pub use enrolments::TimescaleEnrolments;
pub use history::TimescaleHistory;
pub use last_positions::TimescaleLastPositions;
pub use position_store::TimescalePositionStore;
pub use roster_source::TimescaleRosterSource;

pub(crate) use failure::{Failure, kind_of};
pub(crate) use lease::Lease;
pub(crate) use pools::Pools;
