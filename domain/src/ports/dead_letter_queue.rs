use async_trait::async_trait;

use super::Cause;
use crate::{DeadLetterMark, DeadLetterPage, DeadLetterSelection, EntryId, OpenedDeadLetter};

/// One place with dead letters, as an operator sees it: looked through, counted, and emptied.
///
/// [`DeadLetters`](super::DeadLetters) is how they get there.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait DeadLetterQueue: Send + Sync {
    /// Of the letters of one stream those that are selected, at most `limit`, beginning behind `after` or at
    /// the beginning.
    ///
    /// They come in the order in which they were kept, or the other way round; those that were kept at the same
    /// moment in any order, which is always the same. A letter that is there all the time is on exactly one of
    /// the pages from the first to the last. `limit` is at most a few hundred.
    ///
    /// How many letters are looked at for a page is bounded: one that is not full, or has none, is the last only
    /// if it has no [`next`](DeadLetterPage::next).
    ///
    /// # Errors
    /// [`DeadLetterQueueError::Unavailable`]: ask again later.
    async fn page(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        after: Option<DeadLetterMark>,
        limit: usize,
    ) -> Result<DeadLetterPage, DeadLetterQueueError>;

    /// How many letters of this stream there are here. Where they have to be counted one by one, it is no further
    /// than to `most`.
    ///
    /// # Errors
    /// [`DeadLetterQueueError::Unavailable`]: ask again later.
    async fn count(&self, stream: &str, most: u64) -> Result<u64, DeadLetterQueueError>;

    /// The letter of this stream that has this id here, with its payload.
    ///
    /// # Errors
    /// [`DeadLetterQueueError::Unavailable`]: ask again later.
    async fn find(&self, stream: &str, id: EntryId)
    -> Result<Option<OpenedDeadLetter>, DeadLetterQueueError>;

    /// Removes letters of this stream for good, and says how many there were to remove. Those that are not there
    /// are passed over.
    ///
    /// # Errors
    /// [`DeadLetterQueueError::Unavailable`]: some may have been removed. Discard them again.
    async fn discard(&self, stream: &str, ids: &[EntryId]) -> Result<u64, DeadLetterQueueError>;
}

/// A place with dead letters could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterQueueError {
    /// It cannot be reached, or cannot answer, at the moment.
    #[error("the dead letters cannot be reached")]
    Unavailable(#[source] Cause),
}
