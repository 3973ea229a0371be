use async_trait::async_trait;
use processor_domain::DeadLetter;
use processor_domain::ports::{DeadLetters, DeadLettersError};

use crate::EmbeddedPositionStream;
use crate::position_stream::lock;

/// There is no room for more.
#[derive(Debug, thiserror::Error)]
#[error("there is room for {capacity} dead letters and {held} are held")]
struct Full {
    capacity: usize,
    held: usize,
}

impl EmbeddedPositionStream {
    /// The dead letters, in the order in which they were set aside.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        lock(&self.stream.dead_letters).clone()
    }
}

#[async_trait]
impl DeadLetters for EmbeddedPositionStream {
    /// Keeps all of them or, when there is not enough room, none: a dead letter that is held is never given up
    /// for a newer one.
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLettersError> {
        let capacity = self.stream.settings.dead_letter_capacity;
        let mut held = lock(&self.stream.dead_letters);
        if letters.len() > capacity.saturating_sub(held.len()) {
            return Err(DeadLettersError::Unavailable(Full { capacity, held: held.len() }.into()));
        }
        held.extend_from_slice(letters);
        Ok(())
    }
}
