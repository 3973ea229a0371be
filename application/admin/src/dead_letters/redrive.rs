use std::collections::BTreeMap;

use processor_domain::{EntryId, KeptDeadLetter, OpenedDeadLetter};

use super::filter::Source;
use super::walk::Walk;
use super::{DeadLetterDesk, DeadLetterFilter, DeadLetterId, ListError, Progress};
use crate::Unavailable;

/// About how many bytes of payload are published at once at most.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// What became of a letter that was to be redriven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redrive {
    /// Its record is on its stream again, and the letter is gone.
    Done,
    /// It stays where it is.
    Refused(RedriveRefusal),
    /// There is no such letter: it was redriven or discarded before, or never was.
    Absent,
}

/// Why a letter is not redriven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum RedriveRefusal {
    /// The record had no payload, or it was so large that it could not be kept.
    #[error("there is no payload to send again")]
    NoPayload,
    /// The payload is larger than a record may be.
    #[error("the payload is larger than a record may be (RECORD_MAX_BYTES): it would be set aside again")]
    TooLarge,
    /// Its stream is not one of those that are read.
    #[error("its stream is not one of those that are read: nobody would take the record")]
    StreamNotRead,
}

impl RedriveRefusal {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NoPayload, Self::TooLarge, Self::StreamNotRead];

    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPayload => "no_payload",
            Self::TooLarge => "too_large",
            Self::StreamNotRead => "stream_not_read",
        }
    }
}

/// What became of many letters that were to be redriven.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redriven {
    /// How many records are on their stream again.
    pub redriven: u64,
    /// How many letters stay where they are, and why.
    pub refused: BTreeMap<RedriveRefusal, u64>,
    /// Where to go on; `None` if all is done.
    pub next: Option<Progress>,
}

/// Letters of one source whose records are to be published together.
#[derive(Default)]
struct Parcel {
    records: Vec<Box<[u8]>>,
    ids: Vec<EntryId>,
    bytes: usize,
}

impl DeadLetterDesk {
    /// Puts the record of a letter onto its stream again, and then discards the letter.
    ///
    /// If the process ends between the two, or two instances do it at the same time, the record comes twice,
    /// which is found out like every repetition and does no harm.
    ///
    /// # Errors
    /// [`Unavailable`] if the letter or the stream cannot be reached. Do it again.
    pub async fn redrive(&self, id: &DeadLetterId) -> Result<Redrive, Unavailable> {
        let _alone = self.redriving.lock().await;
        let Some(opened) = self.open(id).await? else { return Ok(Redrive::Absent) };
        if let Some(refusal) = self.refusal(&opened.letter) {
            return Ok(Redrive::Refused(refusal));
        }
        let source = Source { place: id.place, stream: id.stream.clone() };
        let mut parcel = Parcel::default();
        parcel.add(opened);
        self.send(&source, &mut parcel).await?;
        tracing::info!(letter = %id, "redrove a dead letter");
        Ok(Redrive::Done)
    }

    /// The same for all letters that are meant and were kept before this began, the oldest first; a few thousand
    /// at a time. One that is set aside again is a new letter, and not meant.
    ///
    /// # Errors
    /// [`ListError`]: a wrong cursor, or letters or a stream that cannot be reached; some may have been redriven.
    /// Do it again.
    pub async fn redrive_all(
        &self,
        filter: &DeadLetterFilter,
        cursor: Option<Progress>,
    ) -> Result<Redriven, ListError> {
        let _alone = self.redriving.lock().await;
        let mut walk = Walk::begin(self, filter, cursor).await?;
        let mut outcome = Redriven::default();
        while let Some((source, letters)) = walk.next().await? {
            let mut parcel = Parcel::default();
            for letter in letters {
                if let Some(refusal) = self.refusal(&letter) {
                    *outcome.refused.entry(refusal).or_default() += 1;
                    continue;
                }
                let id = DeadLetterId { place: source.place, id: letter.id, stream: letter.stream };
                // It may be gone in the meantime.
                if let Some(opened) = self.open(&id).await? {
                    parcel.add(opened);
                }
                if parcel.bytes >= BYTES_AT_ONCE {
                    outcome.redriven += self.send(&source, &mut parcel).await?;
                }
            }
            outcome.redriven += self.send(&source, &mut parcel).await?;
        }
        outcome.next = walk.rest();
        let refused: u64 = outcome.refused.values().sum();
        tracing::info!(redriven = outcome.redriven, refused, "redrove dead letters");
        Ok(outcome)
    }

    fn refusal(&self, letter: &KeptDeadLetter) -> Option<RedriveRefusal> {
        if letter.payload_bytes == 0 {
            Some(RedriveRefusal::NoPayload)
        } else if letter.payload_bytes > self.largest as u64 {
            Some(RedriveRefusal::TooLarge)
        } else if !self.publishers.contains_key(&letter.stream) {
            Some(RedriveRefusal::StreamNotRead)
        } else {
            None
        }
    }

    /// Publishes, then discards: in this order nothing can be lost between the two.
    async fn send(&self, source: &Source, parcel: &mut Parcel) -> Result<u64, Unavailable> {
        let Parcel { records, ids, .. } = std::mem::take(parcel);
        let Some(publisher) = self.publishers.get(&source.stream).filter(|_| !records.is_empty()) else {
            return Ok(0);
        };
        let sent = publisher.publish(&records).await;
        sent.map_err(|error| Unavailable::publisher(&source.stream, error))?;
        self.remove(source, &ids).await?;
        Ok(ids.len() as u64)
    }
}

impl Parcel {
    fn add(&mut self, opened: OpenedDeadLetter) {
        self.bytes += opened.payload.len();
        self.ids.push(opened.letter.id);
        self.records.push(opened.payload);
    }
}
