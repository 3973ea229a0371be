use std::collections::VecDeque;

use processor_domain::{
    DeadLetterMark, DeadLetterOrder, DeadLetterPage, DeadLetterSelection, KeptDeadLetter,
};

use super::filter::Source;
use super::progress::Reached;
use super::{DeadLetterDesk, DeadLetterFilter, DeadLetterId, InvalidCursor, Place, Progress};
use crate::Unavailable;

/// A part of the list of letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterListing {
    /// The letters, from all sources, in the order in which they were kept or the other way round.
    pub letters: Vec<ListedDeadLetter>,
    /// Where the list goes on; `None` if it ends here. A part may be short, or empty, and not the last.
    pub next: Option<Progress>,
}

/// A letter in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDeadLetter {
    /// Where it is kept.
    pub place: Place,
    /// What is kept there.
    pub letter: KeptDeadLetter,
}

impl ListedDeadLetter {
    /// By which it is asked for.
    #[must_use]
    pub fn id(&self) -> DeadLetterId {
        DeadLetterId { place: self.place, id: self.letter.id, stream: self.letter.stream.clone() }
    }
}

/// Letters cannot be gone through.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The cursor is not one of this filter.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// A place with dead letters cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What one source has for this part of the list.
struct Share {
    source: Source,
    reached: Reached,
    letters: VecDeque<KeptDeadLetter>,
    next: Option<DeadLetterMark>,
}

impl DeadLetterDesk {
    /// At most `limit` letters, from where `cursor` says or from the beginning.
    ///
    /// # Errors
    /// [`ListError`]: a wrong cursor, or a place that cannot be asked.
    pub async fn list(
        &self,
        filter: &DeadLetterFilter,
        order: DeadLetterOrder,
        cursor: Option<Progress>,
        limit: usize,
    ) -> Result<DeadLetterListing, ListError> {
        let selection = DeadLetterSelection { reason: filter.reason, order };
        let sources = self.sources(filter);
        let progress = Progress::of(cursor, sources.len())?;
        let mut shares = Vec::with_capacity(sources.len());
        for (source, reached) in sources.into_iter().zip(progress.0) {
            let DeadLetterPage { letters, next } = if reached.end {
                DeadLetterPage::default()
            } else {
                self.page(&source, selection, reached.mark, limit).await?
            };
            shares.push(Share { source, reached, letters: letters.into(), next });
        }
        let mut letters = Vec::new();
        while letters.len() < limit
            && let Some(share) = first(&mut shares, order)
            && let Some(letter) = share.letters.pop_front()
        {
            share.reached.mark = Some(letter.mark());
            letters.push(ListedDeadLetter { place: share.source.place, letter });
        }
        let reached = shares.into_iter().map(Share::reached).collect();
        Ok(DeadLetterListing { letters, next: Progress(reached).unfinished() })
    }

    pub(super) async fn page(
        &self,
        source: &Source,
        selection: DeadLetterSelection,
        after: Option<DeadLetterMark>,
        limit: usize,
    ) -> Result<DeadLetterPage, Unavailable> {
        let Some(queue) = self.queue(source.place, &source.stream) else {
            return Ok(DeadLetterPage::default());
        };
        let page = queue.page(&source.stream, selection, after, limit).await;
        page.map_err(|error| Unavailable::dead_letters(source.place.name(), error))
    }
}

/// The share with the letter that comes first. None if a share is used up whose source has more: what that has may
/// come before what the others have.
fn first(shares: &mut [Share], order: DeadLetterOrder) -> Option<&mut Share> {
    if shares.iter().any(|share| share.letters.is_empty() && share.next.is_some()) {
        return None;
    }
    let with_letters = shares.iter_mut().filter(|share| !share.letters.is_empty());
    let kept_at = |share: &&mut Share| share.letters.front().map(|letter| letter.kept_at);
    match order {
        DeadLetterOrder::OldestFirst => with_letters.min_by_key(kept_at),
        DeadLetterOrder::NewestFirst => with_letters.rev().max_by_key(kept_at),
    }
}

impl Share {
    fn reached(self) -> Reached {
        match self.next {
            _ if !self.letters.is_empty() => self.reached,
            None => Reached { end: true, ..Reached::default() },
            next => Reached { mark: next, ..self.reached },
        }
    }
}
