use std::collections::BTreeMap;

use async_trait::async_trait;
use processor_domain::ports::{DeadLetters, DeadLettersError};
use processor_domain::{DeadLetter, EntryId, Timestamp};

use crate::EmbeddedPositionStream;
use crate::position_stream::lock;

/// There is no room for more.
#[derive(Debug, thiserror::Error)]
#[error("there is room for {capacity} dead letters and {held} are held")]
struct Full {
    capacity: usize,
    held: usize,
}

/// The dead letters that are held, by the id that each was given when it was kept: the time, and greater than
/// every id before it.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    last_id: EntryId,
    pub(crate) letters: BTreeMap<EntryId, DeadLetter>,
}

impl Kept {
    fn keep(&mut self, letter: DeadLetter, now: Timestamp) {
        self.last_id = self.last_id.next(now);
        self.letters.insert(self.last_id, letter);
    }
}

impl EmbeddedPositionStream {
    /// The dead letters, in the order in which they were set aside.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        lock(&self.stream.dead_letters).letters.values().cloned().collect()
    }
}

#[async_trait]
impl DeadLetters for EmbeddedPositionStream {
    /// Keeps all of them or, when there is not enough room, none: a dead letter that is held is never given up
    /// for a newer one.
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLettersError> {
        let capacity = self.stream.settings.dead_letter_capacity;
        let now = self.stream.clock.now();
        let mut kept = lock(&self.stream.dead_letters);
        let held = kept.letters.len();
        if letters.len() > capacity.saturating_sub(held) {
            return Err(DeadLettersError::Unavailable(Full { capacity, held }.into()));
        }
        for letter in letters {
            kept.keep(letter.clone(), now);
        }
        Ok(())
    }
}
