//! Dead letters: looked through, redriven, discarded.

mod discard;
mod filter;
mod id;
mod list;
mod of_device;
mod progress;
mod redrive;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
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

/// The dead letters of all streams in all places where they are kept.
#[derive(Default)]
pub struct DeadLetterDesk {
    /// By the name of the stream that it puts records onto.
    publishers: BTreeMap<Box<str>, Arc<dyn PositionPublisher>>,
    places: BTreeMap<Place, Arc<dyn DeadLetterQueue>>,
    largest: usize,
    /// Held by whoever redrives, so that two who ask for the same at the same time do it once.
    redriving: Mutex<()>,
}

impl DeadLetterDesk {
    /// The dead letters in these places of the streams that `publishers` put records onto. A record larger than
    /// `largest` bytes would be set aside again.
    #[must_use]
    pub fn new(
        publishers: BTreeMap<Box<str>, Arc<dyn PositionPublisher>>,
        places: BTreeMap<Place, Arc<dyn DeadLetterQueue>>,
        largest: usize,
    ) -> Self {
        Self { publishers, places, largest, redriving: Mutex::default() }
    }

    /// One letter with its payload; `None` if there is no such letter any more.
    ///
    /// # Errors
    /// [`Unavailable`] if its place cannot be asked.
    pub async fn open(&self, id: &DeadLetterId) -> Result<Option<OpenedDeadLetter>, Unavailable> {
        let Some(queue) = self.queue(id.place, &id.stream) else { return Ok(None) };
        let found = queue.find(&id.stream, id.id).await;
        found.map_err(|error| Unavailable::dead_letters(id.place.name(), error))
    }

    /// Where letters of this stream are kept. On streams it is only asked about those that are read: any other name
    /// may be that of something else, and on a cluster each has connections of its own.
    fn queue(&self, place: Place, stream: &str) -> Option<&dyn DeadLetterQueue> {
        let known = place == Place::Table || self.publishers.contains_key(stream);
        self.places.get(&place).filter(|_| known).map(|queue| &**queue)
    }
}

impl fmt::Debug for DeadLetterDesk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DeadLetterDesk")
            .field("streams", &self.publishers.keys())
            .field("places", &self.places.keys())
            .finish_non_exhaustive()
    }
}
