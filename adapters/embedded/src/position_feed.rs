use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use processor_domain::ports::{Observed, PositionFeed, StreamError};
use processor_domain::{Record, Timestamp};
use tokio::sync::Mutex;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::timeout;

use crate::EmbeddedPositionStream;
use crate::log::Entry;
use crate::position_stream::Stream;

/// An embedded stream, followed: it sees what is published, and takes nothing from the consumers.
///
/// The newest entries are kept for all feeds together. One that does not keep up with them skips those that are
/// not kept any more and goes on with the oldest that is.
pub struct EmbeddedPositionFeed {
    stream: Arc<Stream>,
    entries: Mutex<Receiver<Entry>>,
    skipped: AtomicU64,
}

impl EmbeddedPositionStream {
    /// Follows the stream from now on.
    #[must_use]
    pub fn feed(&self) -> EmbeddedPositionFeed {
        EmbeddedPositionFeed {
            entries: Mutex::new(self.stream.newest.subscribe()),
            stream: Arc::clone(&self.stream),
            skipped: AtomicU64::new(0),
        }
    }
}

impl EmbeddedPositionFeed {
    /// Entries skipped so far, because it did not keep up.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Waits for an entry.
    async fn next(&self, entries: &mut Receiver<Entry>) -> Option<Entry> {
        loop {
            match entries.recv().await {
                Ok(entry) => return Some(entry),
                Err(RecvError::Lagged(skipped)) => self.skip(skipped),
                // The stream has it for as long as it lives, and this feed has the stream.
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// An entry that is there already.
    fn at_hand(&self, entries: &mut Receiver<Entry>) -> Option<Entry> {
        loop {
            match entries.try_recv() {
                Ok(entry) => return Some(entry),
                Err(TryRecvError::Lagged(skipped)) => self.skip(skipped),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }

    fn skip(&self, entries: u64) {
        self.skipped.fetch_add(entries, Ordering::Relaxed);
    }

    fn observe(&self, entry: &Entry, now: Timestamp) -> Option<Observed> {
        match self.stream.decode(entry, now) {
            Record::Position(position) => Some(Observed { entry_id: entry.id, position }),
            _ => None,
        }
    }
}

#[async_trait]
impl PositionFeed for EmbeddedPositionFeed {
    /// Nothing is taken before there is something to give, so it may be cancelled here.
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        let mut entries = self.entries.lock().await;
        let first = timeout(self.stream.settings.block, self.next(&mut entries)).await;
        let Ok(Some(first)) = first else { return Ok(Vec::new()) };
        let (most, now) = (self.stream.settings.batch_size.get(), self.stream.clock.now());
        let rest = std::iter::from_fn(|| self.at_hand(&mut entries));
        let batch = std::iter::once(first).chain(rest).take(most);
        Ok(batch.filter_map(|entry| self.observe(&entry, now)).collect())
    }

    /// There is nothing to take away: what is kept is kept for all feeds, and not for this one.
    async fn close(&self) -> Result<(), StreamError> {
        Ok(())
    }
}

impl fmt::Debug for EmbeddedPositionFeed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EmbeddedPositionFeed")
            .field("name", &self.stream.settings.name)
            .field("skipped", &self.skipped())
            .finish_non_exhaustive()
    }
}
