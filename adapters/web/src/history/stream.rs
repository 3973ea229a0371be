//! From pages of the past to the body of an answer.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use processor_domain::ports::{History, HistoryPage, StoreError};
use processor_domain::{HistoryCursor, HistoryQuery};
use tokio::sync::mpsc;

use super::Format;
use crate::text::Text;

/// Positions of one page. With three pages on the way, one of them encoded, it bounds the memory of an export.
const PAGE: NonZeroUsize = NonZeroUsize::new(2_000).expect("more than none");
/// Bytes for which nearly every position has room.
const ROOM_OF_POSITION: usize = 260;
/// Whoever takes nothing for this long is not waited for any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is asked for, and how it is to be written.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) history: Arc<dyn History>,
    pub(crate) query: HistoryQuery,
    pub(crate) after: Option<HistoryCursor>,
    pub(crate) format: Format,
}

impl Recording {
    async fn page(
        &self,
        after: Option<HistoryCursor>,
        limit: NonZeroUsize,
    ) -> Result<HistoryPage, StoreError> {
        self.history.page(&self.query, after, limit).await
    }
}

/// At most so many positions, whole, and where to go on; for a limit that fits into memory.
pub(crate) async fn collected(
    recording: &Recording,
    limit: NonZeroUsize,
) -> Result<(Bytes, Option<HistoryCursor>), StoreError> {
    let mut encoder = recording.format.encoder();
    let mut out = Text::with_room(ROOM_OF_POSITION * limit.get().min(PAGE.get()));
    encoder.begin(&mut out);
    let (mut after, mut left) = (recording.after, Some(limit));
    while let Some(limit) = left {
        let page = recording.page(after, limit).await?;
        for kept in &page.positions {
            encoder.position(&mut out, kept);
        }
        after = page.next;
        left = NonZeroUsize::new(limit.get() - page.positions.len()).filter(|_| after.is_some());
    }
    encoder.end(&mut out);
    Ok((out.into_text(), after))
}

/// All positions, page after page, as fast as they are taken. The first page is read before there is a stream, so
/// that a store that is away is told as a problem.
///
/// The next page is read while the one before is being taken, and by a task of its own: so a client that stops
/// reading never stops it in the middle of a page, with a connection in hand. What goes wrong later ends the stream
/// with an error and never as if it were whole. `held` is held for as long as it lasts.
pub(crate) async fn streamed(
    recording: Recording,
    held: impl Send + 'static,
) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>>, StoreError> {
    let first = recording.page(recording.after, PAGE).await?;
    let (chunks, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Err(why) = write(&recording, first, chunks).await {
            tracing::warn!(format = recording.format.name(), why, "an export ended before it was whole");
        }
        drop(held);
    });
    Ok(futures::stream::unfold(Some(taken), |taken| async move {
        let mut taken = taken?;
        match taken.recv().await {
            Some(Some(chunk)) => Some((Ok(chunk), Some(taken))),
            // It is whole.
            Some(None) => None,
            None => Some((Err(std::io::Error::other("the export is not whole")), None)),
        }
    }))
}

/// Writes all into `chunks`, and nothing in the end if it is whole.
async fn write(
    recording: &Recording,
    first: HistoryPage,
    chunks: mpsc::Sender<Option<Bytes>>,
) -> Result<(), String> {
    let mut encoder = recording.format.encoder();
    let mut page = first;
    let mut begun = false;
    loop {
        let mut out = Text::with_room(ROOM_OF_POSITION * (page.positions.len() + 1));
        if !std::mem::replace(&mut begun, true) {
            encoder.begin(&mut out);
        }
        for kept in &page.positions {
            encoder.position(&mut out, kept);
        }
        if page.next.is_none() {
            encoder.end(&mut out);
        }
        if out.len() > 0 {
            send(&chunks, Some(out.into_text())).await?;
        }
        let Some(next) = page.next else { return send(&chunks, None).await };
        let read = recording.page(Some(next), PAGE).await;
        page = read.map_err(|error| chain(&error))?;
    }
}

async fn send(chunks: &mpsc::Sender<Option<Bytes>>, chunk: Option<Bytes>) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, chunks.send(chunk)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("whoever asked for it is gone".into()),
        Err(_) => Err("whoever asked for it takes nothing".into()),
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
