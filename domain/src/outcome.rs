//! What becomes of a record: the law of accounting.
//!
//! Every record read ends in exactly one [`Outcome`] or is still pending:
//!
//! > read = stored + duplicate + merged + dead-lettered + lost while pending + pending

use std::fmt;

use crate::{EntryId, Receipt};

/// What became of a record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It is a new row.
    Stored,
    /// Its row was there already and it added nothing.
    Duplicate,
    /// Its row was there already and it added to it.
    Merged,
    /// It was set aside.
    DeadLettered,
    /// Its body was trimmed from the stream while it was pending.
    LostPending,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Stored, Self::Duplicate, Self::Merged, Self::DeadLettered, Self::LostPending];

    /// A stable name: the label `outcome` of `processor_records_total`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Merged => "merged",
            Self::DeadLettered => "dead_lettered",
            Self::LostPending => "lost_pending",
        }
    }
}

/// An entry whose record has its outcome: the only thing a stream will acknowledge.
#[derive(PartialEq, Eq, Debug)]
pub struct Settled {
    receipt: Receipt,
    outcome: Outcome,
}

impl Settled {
    pub(crate) const fn new(receipt: Receipt, outcome: Outcome) -> Self {
        Self { receipt, outcome }
    }

    /// Which entry.
    #[must_use]
    pub const fn entry_id(&self) -> EntryId {
        self.receipt.entry_id()
    }

    /// What became of its record.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

/// Why a record was set aside: a stable code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeadLetterReason {
    /// The entry has no field `payload`.
    NoPayload,
    /// The payload is larger than a record may be.
    TooLarge,
    /// The payload is not JSON, or not a JSON object.
    NotJson,
    /// There is no device id, or it cannot be one.
    InvalidDevice,
    /// There is no time, or it cannot be one.
    InvalidTime,
    /// The time lies outside the span for which positions are kept.
    TimeOutOfSpan,
    /// Latitude or longitude is missing or not a finite number.
    InvalidCoordinates,
    /// Another field has a type that it cannot have.
    InvalidField,
    /// The database refused the row.
    RefusedByStore,
    /// It was delivered again and again without being settled.
    TooManyDeliveries,
}

impl DeadLetterReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::NoPayload,
        Self::TooLarge,
        Self::NotJson,
        Self::InvalidDevice,
        Self::InvalidTime,
        Self::TimeOutOfSpan,
        Self::InvalidCoordinates,
        Self::InvalidField,
        Self::RefusedByStore,
        Self::TooManyDeliveries,
    ];

    /// Its stable name: the field `reason` of a dead letter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPayload => "no_payload",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::InvalidDevice => "invalid_device",
            Self::InvalidTime => "invalid_time",
            Self::TimeOutOfSpan => "time_out_of_span",
            Self::InvalidCoordinates => "invalid_coordinates",
            Self::InvalidField => "invalid_field",
            Self::RefusedByStore => "refused_by_store",
            Self::TooManyDeliveries => "too_many_deliveries",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl fmt::Display for DeadLetterReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
