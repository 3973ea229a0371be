//! What the store has of a record.

use crate::{Coordinates, Faults, Timestamp};

/// A record of a device as it is stored, without what a map does not need.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StoredRecord {
    /// Device time.
    pub ts: Timestamp,
    /// When it was written; `None` in tables of others that do not say.
    pub written_at: Option<Timestamp>,
    /// Where; `None` in tables of others that do not say.
    pub coordinates: Option<Coordinates>,
    /// What is wrong with it.
    pub faults: Faults,
    /// Whether the place is not where the car was.
    pub faulty: bool,
}
