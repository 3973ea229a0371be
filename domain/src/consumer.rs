//! Who reads a stream.

use std::time::Duration;

use crate::EntryId;

/// One consumer of a durable group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consumer {
    /// Its name in the group.
    pub name: Box<str>,
    /// Whether it is the one that this instance reads as.
    pub own: bool,
    /// Entries delivered to it and not acknowledged.
    pub pending: u64,
    /// The oldest of them.
    pub oldest_pending: Option<EntryId>,
    /// How long ago it last asked for anything, whether or not there was anything for it.
    pub idle: Duration,
}
