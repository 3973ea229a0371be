//! Going through letters to do something to each of them.

use processor_domain::{DeadLetterMark, DeadLetterOrder, DeadLetterSelection, KeptDeadLetter};

use super::filter::Source;
use super::progress::Reached;
use super::{DeadLetterDesk, DeadLetterFilter, ListError, Progress};
use crate::Unavailable;

/// Most letters on a page.
const PAGE: usize = 100;

/// Most pages gone through at a time: the answer to a request has to come.
const PAGES: usize = 20;

/// Letters that are meant, gone through page by page, the oldest first.
///
/// A letter that was kept after the beginning is not meant, so that a record that is set aside again does not go
/// round and round.
pub(super) struct Walk<'a> {
    desk: &'a DeadLetterDesk,
    filter: &'a DeadLetterFilter,
    sources: Vec<Source>,
    progress: Progress,
    pages: usize,
}

impl<'a> Walk<'a> {
    /// From where `cursor` says or from the beginning.
    pub(super) async fn begin(
        desk: &'a DeadLetterDesk,
        filter: &'a DeadLetterFilter,
        cursor: Option<Progress>,
    ) -> Result<Self, ListError> {
        let sources = desk.sources(filter);
        let begins = cursor.is_none();
        let mut progress = Progress::of(cursor, sources.len())?;
        if begins {
            for (source, reached) in sources.iter().zip(&mut progress.0) {
                let newest = newest(desk, source).await?;
                reached.until = newest.map(|mark| mark.kept_at);
                reached.end = newest.is_none();
            }
        }
        Ok(Self { desk, filter, sources, progress, pages: 0 })
    }

    /// The next page, of one source; `None` if there is none, or it is enough for now.
    pub(super) async fn next(&mut self) -> Result<Option<(Source, Vec<KeptDeadLetter>)>, Unavailable> {
        let open = self.progress.0.iter().position(|reached| !reached.end);
        let Some(number) = open.filter(|_| self.pages < PAGES) else { return Ok(None) };
        self.pages += 1;
        let source = self.sources[number].clone();
        let Reached { mark, until, .. } = self.progress.0[number];
        let selection =
            DeadLetterSelection { reason: self.filter.reason, order: DeadLetterOrder::OldestFirst };
        let mut page = self.desk.page(&source, selection, mark, PAGE).await?;
        let found = page.letters.len();
        page.letters.retain(|letter| until.is_none_or(|until| letter.kept_at <= until));
        let end = page.next.is_none() || page.letters.len() < found;
        self.progress.0[number] =
            if end { Reached { end, ..Reached::default() } } else { Reached { mark: page.next, until, end } };
        Ok(Some((source, page.letters)))
    }

    /// Where to go on another time; `None` if all is done.
    pub(super) fn rest(self) -> Option<Progress> {
        self.progress.unfinished()
    }
}

async fn newest(desk: &DeadLetterDesk, source: &Source) -> Result<Option<DeadLetterMark>, Unavailable> {
    let page = desk.page(source, DeadLetterSelection::default(), None, 1).await?;
    Ok(page.letters.first().map(KeptDeadLetter::mark))
}
