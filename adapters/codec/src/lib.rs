//! The one record codec: the payload of a stream entry to a [`Position`](processor_domain::Position) and back.

use std::time::Duration;

use processor_domain::{DeadLetterReason, Position, Record, Timestamp};

/// Reads and writes records in the wire format.
#[derive(Debug, Clone, Copy)]
pub struct RecordCodec {
    limits: Limits,
}

/// What a record may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest payload in bytes.
    pub max_bytes: usize,
    /// Positions from before this moment are not kept.
    pub earliest: Timestamp,
    /// Positions from farther ahead of now than this are not kept.
    pub ahead: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 * 1024,
            earliest: Timestamp::from_millis(946_684_800_000),
            ahead: Duration::from_hours(24),
        }
    }
}

impl RecordCodec {
    /// A codec with these limits.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Reads the payload of an entry that was received at `received_at`; `now` is the clock of this machine.
    #[must_use]
    pub fn decode(&self, payload: &[u8], received_at: Timestamp, now: Timestamp) -> Record {
        let _ = (received_at, now, self.limits);
        Record::Undecodable { reason: DeadLetterReason::NotJson, detail: "".into(), payload: payload.into() }
    }

    /// Writes a position as a record in the wire format.
    #[must_use]
    pub fn encode(position: &Position) -> Box<[u8]> {
        let _ = position;
        Box::default()
    }
}
