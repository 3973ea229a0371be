//! Dead letters: looked through, redriven, discarded.

mod discard;
mod filter;
mod id;
mod list;
mod progress;
mod redrive;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use processor_domain::OpenedDeadLetter;
use processor_domain::ports::{DeadLetterQueue, PositionPublisher};
use tokio::sync::Mutex;

pub use discard::Discarded;
pub use filter::DeadLetterFilter;
pub use id::{DeadLetterId, InvalidDeadLetterId, Place};
pub use list::{DeadLetterListing, ListError, ListedDeadLetter};
pub use progress::{InvalidCursor, Progress};
pub use redrive::{Redrive, RedriveRefusal, Redriven};

use crate::Unavailable;

/// The dead letters of all streams in both places where they are kept.
pub struct DeadLetterDesk {
    /// By the name of the stream that it puts records onto.
    publishers: BTreeMap<Box<str>, Arc<dyn PositionPublisher>>,
    on_streams: Arc<dyn DeadLetterQueue>,
    in_table: Arc<dyn DeadLetterQueue>,
    largest: usize,
    /// Held by whoever redrives, so that two who ask for the same at the same time do it once.
    redriving: Mutex<()>,
}

impl DeadLetterDesk {
    /// The dead letters of the streams that `publishers` put records onto, on their streams and in the table of
    /// the database. A record larger than `largest` bytes would be set aside again.
    #[must_use]
    pub fn new(
        publishers: BTreeMap<Box<str>, Arc<dyn PositionPublisher>>,
        on_streams: Arc<dyn DeadLetterQueue>,
        in_table: Arc<dyn DeadLetterQueue>,
        largest: usize,
    ) -> Self {
        Self { publishers, on_streams, in_table, largest, redriving: Mutex::default() }
    }

    /// One letter with its payload; `None` if there is no such letter any more.
    ///
    /// # Errors
    /// [`Unavailable`] if its place cannot be asked.
    pub async fn open(&self, id: &DeadLetterId) -> Result<Option<OpenedDeadLetter>, Unavailable> {
        let found = self.queue(id.place).find(&id.stream, id.id).await;
        found.map_err(|error| Unavailable::dead_letters(id.place.name(), error))
    }

    fn queue(&self, place: Place) -> &dyn DeadLetterQueue {
        match place {
            Place::Stream => &*self.on_streams,
            Place::Table => &*self.in_table,
        }
    }
}
