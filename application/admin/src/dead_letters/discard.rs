use processor_domain::EntryId;

use super::filter::Source;
use super::walk::Walk;
use super::{DeadLetterDesk, DeadLetterFilter, DeadLetterId, ListError, Progress};
use crate::Unavailable;

/// What became of many letters that were to be discarded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discarded {
    /// How many are gone.
    pub discarded: u64,
    /// Where to go on; `None` if all is done.
    pub next: Option<Progress>,
}

impl DeadLetterDesk {
    /// Removes a letter for good; says whether there was one.
    ///
    /// # Errors
    /// [`Unavailable`] if its place cannot be asked. Do it again.
    pub async fn discard(&self, id: &DeadLetterId) -> Result<bool, Unavailable> {
        let source = Source { place: id.place, stream: id.stream.clone() };
        let discarded = self.remove(&source, &[id.id]).await? > 0;
        if discarded {
            tracing::info!(letter = %id, "discarded a dead letter");
        }
        Ok(discarded)
    }

    /// Removes the letters for good that are meant and were kept before this began; a few thousand at a time.
    ///
    /// # Errors
    /// [`ListError`]: a wrong cursor, or a place that cannot be asked; some may have been removed. Do it again.
    pub async fn discard_all(
        &self,
        filter: &DeadLetterFilter,
        cursor: Option<Progress>,
    ) -> Result<Discarded, ListError> {
        let mut walk = Walk::begin(self, filter, cursor).await?;
        let mut discarded = 0;
        while let Some((source, letters)) = walk.next().await? {
            let ids: Vec<EntryId> = letters.iter().map(|letter| letter.id).collect();
            discarded += self.remove(&source, &ids).await?;
        }
        tracing::info!(discarded, "discarded dead letters");
        Ok(Discarded { discarded, next: walk.rest() })
    }

    pub(super) async fn remove(&self, source: &Source, ids: &[EntryId]) -> Result<u64, Unavailable> {
        let Some(queue) = self.queue(source.place, &source.stream).filter(|_| !ids.is_empty()) else {
            return Ok(0);
        };
        let removed = queue.discard(&source.stream, ids).await;
        removed.map_err(|error| Unavailable::dead_letters(source.place.name(), error))
    }
}
