//! Dead letters as they are kept.

use crate::{DeadLetterReason, EntryId, Timestamp};

/// A dead letter in the place that keeps it, without its payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptDeadLetter {
    /// The stream that the record came from.
    pub stream: Box<str>,
    /// By what its place knows it, among those of its stream.
    pub id: EntryId,
    /// When it was kept.
    pub kept_at: Timestamp,
    /// Where the record stood in its stream; `None` if the letter does not say so.
    pub entry_id: Option<EntryId>,
    /// Why it was set aside: the name of a [`DeadLetterReason`], or of one that another version of this program
    /// knows.
    pub reason: Box<str>,
    /// The same in words.
    pub detail: Box<str>,
    /// How often it was delivered.
    pub deliveries: u32,
    /// Which instance set it aside, if its place says so.
    pub instance: Option<Box<str>>,
    /// How large the payload is.
    pub payload_bytes: u64,
}

impl KeptDeadLetter {
    /// Where it is among the letters of its stream in its place.
    #[must_use]
    pub const fn mark(&self) -> DeadLetterMark {
        DeadLetterMark { kept_at: self.kept_at, id: self.id }
    }
}

/// A dead letter with its payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenedDeadLetter {
    /// All else that is kept of it.
    pub letter: KeptDeadLetter,
    /// The bytes received; of a position its record in the wire format.
    pub payload: Box<[u8]>,
}

/// Where a letter is among the letters of one stream in one place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DeadLetterMark {
    /// When it was kept.
    pub kept_at: Timestamp,
    /// Its id there.
    pub id: EntryId,
}

/// Which letters are wanted, and in which order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct DeadLetterSelection {
    /// Only those set aside for this reason.
    pub reason: Option<DeadLetterReason>,
    /// Which come first.
    pub order: DeadLetterOrder,
}

/// Which letters come first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DeadLetterOrder {
    /// Those that were kept last.
    #[default]
    NewestFirst,
    /// Those that were kept first.
    OldestFirst,
}

/// A page of letters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeadLetterPage {
    /// The letters, in the order asked for.
    pub letters: Vec<KeptDeadLetter>,
    /// Behind which letter the next page begins; `None` if this is the last one.
    pub next: Option<DeadLetterMark>,
}
