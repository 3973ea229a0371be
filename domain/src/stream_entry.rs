//! What a stream hands out, and what becomes of it.

use std::fmt;
use std::str::FromStr;

use crate::{DeadLetterReason, Outcome, Position, Settled, Timestamp, TraceParent};

/// Where an entry stands in its stream: `<milliseconds>-<sequence>`, as Redis counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EntryId {
    /// When the stream took it, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// Order within the millisecond.
    pub sequence: u64,
}

impl EntryId {
    /// When the stream took the entry.
    #[must_use]
    pub fn received_at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.millis).unwrap_or(i64::MAX))
    }

    /// The id of what a stream takes `now`, after this one: the time, and greater than this one even if the clock
    /// went back.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        if millis > self.millis {
            Self { millis, sequence: 0 }
        } else {
            Self { millis: self.millis, sequence: self.sequence + 1 }
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.millis, self.sequence)
    }
}

impl FromStr for EntryId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (millis, sequence) = text.split_once('-').unwrap_or((text, "0"));
        Ok(Self { millis: millis.parse()?, sequence: sequence.parse()? })
    }
}

/// The right, and the duty, to settle one entry of a stream.
///
/// It is not `Clone`: an entry is acknowledged by giving its receipt away together with what became of the
/// record ([`Receipt::settle`]). A receipt that is dropped leaves its entry pending, to be delivered again.
#[derive(PartialEq, Eq, Debug)]
pub struct Receipt {
    entry_id: EntryId,
}

impl Receipt {
    /// For implementations of [`crate::ports::PositionStream`]: the receipt of an entry just delivered.
    #[must_use]
    pub const fn of(entry_id: EntryId) -> Self {
        Self { entry_id }
    }

    /// Which entry.
    #[must_use]
    pub const fn entry_id(&self) -> EntryId {
        self.entry_id
    }

    /// Says what became of the record; only then can the entry be acknowledged.
    #[must_use]
    pub fn settle(self, outcome: Outcome) -> Settled {
        Settled::new(self, outcome)
    }
}

/// One entry as a stream delivered it.
#[derive(PartialEq, Debug)]
pub struct Delivery {
    /// To settle it with.
    pub receipt: Receipt,
    /// What it holds.
    pub record: Record,
    /// How often it was delivered, this time included; 1 for an entry read for the first time.
    pub deliveries: u32,
    /// Where in its trace the producer was, if it said so.
    pub trace_parent: Option<TraceParent>,
}

/// What an entry holds.
#[derive(PartialEq, Debug)]
pub enum Record {
    /// A position.
    Position(Position),
    /// Something that cannot be a position.
    Undecodable {
        /// Why not.
        reason: DeadLetterReason,
        /// The same in words, with the field and the value at fault.
        detail: Box<str>,
        /// What was received.
        payload: Box<[u8]>,
    },
    /// Nothing any more: the stream was trimmed while the entry was pending.
    Lost,
}

/// A record set aside, with all that is needed to understand it and to send it again.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadLetter {
    /// The stream it came from.
    pub stream: Box<str>,
    /// Where it stood there.
    pub entry_id: EntryId,
    /// Why it was set aside.
    pub reason: DeadLetterReason,
    /// The same in words.
    pub detail: Box<str>,
    /// What was received; for a position, its record in the wire format.
    pub payload: DeadPayload,
    /// How often it was delivered.
    pub deliveries: u32,
}

/// What a dead letter holds.
#[derive(Clone, PartialEq, Debug)]
pub enum DeadPayload {
    /// The bytes received.
    Raw(Box<[u8]>),
    /// The position decoded from them; an adapter writes it in the wire format.
    Position(Box<Position>),
}

/// How far a consumer is with its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Entries not yet delivered to the group; `None` if the stream does not know.
    pub lag: Option<u64>,
    /// Entries delivered to the group and not yet acknowledged.
    pub pending: u64,
    /// When the oldest entry that is not acknowledged was received, if there is one.
    pub oldest_unprocessed: Option<Timestamp>,
    /// Entries that were trimmed from the stream before the group had read them, since this process started.
    pub trimmed_unread: u64,
    /// Times the group had vanished and was created anew, since this process started.
    pub group_recreated: u64,
    /// Whether who keeps the stream says that it outlives a restart, and memory that runs out; `None` if that is
    /// not known.
    pub durable: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_ids_read_as_redis_writes_them() {
        let id: EntryId = "1714557600000-12".parse().unwrap();
        assert_eq!(id, EntryId { millis: 1_714_557_600_000, sequence: 12 });
        assert_eq!(id.to_string(), "1714557600000-12");
        assert_eq!("5".parse(), Ok(EntryId { millis: 5, sequence: 0 }));
        assert!("5-".parse::<EntryId>().is_err());
        assert_eq!(id.received_at().to_string(), "2024-05-01T10:00:00.000Z");
    }
}
