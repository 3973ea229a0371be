//! The one record codec: the payload of a stream entry to a [`Position`] and back.
//!
//! A record is the text of one JSON object, written by a Node program. Reading it is liberal: every shape that
//! such programs give to big integers and to binary values is understood, and a shape without a meaning is kept
//! as JSON. What comes out is strict: a [`Position`] whose numbers are finite and whose attributes are
//! canonical as described at [`Attributes`](processor_domain::Attributes), so that no store refuses it for its
//! form. What cannot be a position is handed on as it came, with a reason.
//!
//! | field | other names | what it may be |
//! |---|---|---|
//! | `device_id` | `imei` | text, or a whole number from 0 to 2^53-1, which is written with 15 digits |
//! | `timestamp` | | RFC 3339 text with a zone, or whole milliseconds since 1970 with 11 to 15 digits |
//! | `latitude`, `longitude` | | a finite number; degrees |
//! | `altitude` | | a number or nothing; metres |
//! | `heading` | `angle`, `course` | a number or nothing; degrees; without use outside 0 to 360 |
//! | `speed` | | a number or nothing; km/h; without use if negative |
//! | `satellites` | | a number or nothing; without use unless a whole number from 0 to 255 |
//! | `priority` | | a number or nothing; 1 is high, 2 is panic, all else low |
//! | `attributes` | | an object or nothing; anything else is kept as one attribute named `attributes` |
//!
//! A field that is null is one that is not there. Of several fields that mean the same the last one that is not
//! null counts. Fields with other names are passed over. Heading and speed are not kept of a record with no
//! satellites: a tracker without a fix sends zeros for both.

mod attributes;
mod compact;
mod decode;
mod encode;
mod number;
mod plain;
mod refusal;
mod scan;
mod shape;
mod text;
mod tree;
mod wire;

use std::time::Duration;

use processor_domain::{Position, Record, Timestamp};

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
    /// 64 KiB, some hundred times a usual record; nothing from before 2000, when the clocks of trackers that
    /// were reset begin; nothing from more than a day ahead.
    ///
    /// The database makes a chunk for each week that has a position: a few wild years would make thousands.
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
    ///
    /// Gives a position, or the payload as it came with the reason why it cannot be one; never
    /// [`Record::Lost`]. A moment is ahead if it is so of both `now` and `received_at`, so that a clock of this
    /// machine that is behind refuses nothing.
    #[must_use]
    pub fn decode(&self, payload: &[u8], received_at: Timestamp, now: Timestamp) -> Record {
        match decode::position(&self.limits, payload, received_at, now) {
            Ok(position) => Record::Position(position),
            Err(refusal) => Record::Undecodable {
                reason: refusal.reason(),
                detail: refusal.to_string().into(),
                payload: payload.into(),
            },
        }
    }

    /// Writes a position as a record in the wire format.
    ///
    /// A position that [`Self::decode`] gave comes back from this text as it was, if the time of receipt is
    /// given again: that is known from the stream and not part of the record.
    #[must_use]
    pub fn encode(position: &Position) -> Box<[u8]> {
        encode::record(position)
    }
}
