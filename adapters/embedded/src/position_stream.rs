use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use processor_codec::RecordCodec;
use processor_domain::ports::{Clock, PositionStream, StreamError};
use processor_domain::{Delivery, EntryId, Receipt, Record, Settled, Standing, Timestamp, TraceParent};
use tokio::sync::{AcquireError, Notify, Semaphore, broadcast};
use tokio::time::timeout;

use crate::EmbeddedSettings;
use crate::dead_letters::Kept;
use crate::log::{Entry, Handed, Log, Session};

/// Most entries kept for feeds, whatever the settings say: the room is taken in advance.
const MOST_FOR_FEEDS: usize = 1 << 20;

/// A stream inside the process, as one consumer of its one group sees it.
///
/// It is also the publisher of the stream and the place of its dead letters, which are the same whichever
/// consumer is asked.
pub struct EmbeddedPositionStream {
    pub(crate) stream: Arc<Stream>,
    pub(crate) session: Session,
    /// What was left pending before this start and has not been delivered again.
    left: Mutex<VecDeque<EntryId>>,
}

/// What the consumers share.
pub(crate) struct Stream {
    pub(crate) settings: EmbeddedSettings,
    codec: RecordCodec,
    pub(crate) clock: Arc<dyn Clock>,
    log: Mutex<Log>,
    /// A permit for each entry that there is still room for.
    room: Semaphore,
    arrival: Notify,
    /// The newest entries, for those who follow; nothing is kept while nobody does.
    pub(crate) newest: broadcast::Sender<Entry>,
    pub(crate) dead_letters: Mutex<Kept>,
}

impl EmbeddedPositionStream {
    /// The name of the first consumer.
    const FIRST_CONSUMER: &str = "first";

    /// An empty stream, seen by its first consumer. `clock` gives entries their ids and measures how long they
    /// are left to a consumer.
    #[must_use]
    pub fn new(settings: EmbeddedSettings, codec: RecordCodec, clock: Arc<dyn Clock>) -> Self {
        let room = Semaphore::new(settings.capacity.get().min(Semaphore::MAX_PERMITS));
        let (newest, _) = broadcast::channel(settings.feed_capacity.get().min(MOST_FOR_FEEDS));
        let stream = Stream {
            settings,
            codec,
            clock,
            log: Mutex::default(),
            room,
            arrival: Notify::new(),
            newest,
            dead_letters: Mutex::default(),
        };
        Self::start(Arc::new(stream), Self::FIRST_CONSUMER.into())
    }

    /// The same stream, as the consumer with this name sees it after a start. What it was given before and has
    /// not acknowledged comes first.
    ///
    /// Two of the same name are one consumer that has started twice; the earlier one should not be used any
    /// more.
    #[must_use]
    pub fn consumer(&self, name: &str) -> Self {
        Self::start(Arc::clone(&self.stream), name.into())
    }

    /// The same consumer after another start.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::start(Arc::clone(&self.stream), Arc::clone(&self.session.consumer))
    }

    /// What was published and is not acknowledged, in the order of the stream.
    #[must_use]
    pub fn published(&self) -> Vec<(EntryId, Box<[u8]>)> {
        self.stream.log().entries().map(|entry| (entry.id, (&*entry.payload).into())).collect()
    }

    fn start(stream: Arc<Stream>, consumer: Arc<str>) -> Self {
        let (session, left) = stream.log().start(consumer, stream.clock.now());
        Self { stream, session, left: Mutex::new(left) }
    }

    /// What can be given at once.
    fn at_hand(&self) -> Vec<Handed> {
        let most = self.stream.settings.batch_size;
        let now = self.stream.clock.now();
        let mut left = lock(&self.left);
        let mut log = self.stream.log();
        let again = log.redeliver(&self.session, &mut left, most, now);
        if again.is_empty() { log.deliver(&self.session, most, now) } else { again }
    }
}

impl Stream {
    /// Puts a record at the end of the stream as soon as there is room. It fails only on a stream that was closed,
    /// and none is.
    pub(crate) async fn append(
        &self,
        record: &[u8],
        trace_parent: Option<TraceParent>,
    ) -> Result<(), AcquireError> {
        // Given back when the entry is acknowledged.
        self.room.acquire().await?.forget();
        self.append_now(record, trace_parent);
        self.arrival.notify_waiters();
        Ok(())
    }

    /// Whoever follows sees entries in the order in which they got their ids: they are told while the log is
    /// locked.
    fn append_now(&self, record: &[u8], trace_parent: Option<TraceParent>) {
        let mut log = self.log();
        log.append(record, trace_parent, self.clock.now());
        if let Some(entry) = log.newest() {
            // That nobody follows is no failure.
            drop(self.newest.send(entry.clone()));
        }
    }

    /// Reads the record of an entry.
    pub(crate) fn decode(&self, entry: &Entry, now: Timestamp) -> Record {
        self.codec.decode(&entry.payload, entry.id.received_at(), now)
    }

    fn deliveries(&self, handed: Vec<Handed>) -> Vec<Delivery> {
        let now = self.clock.now();
        let delivery = |Handed { entry, deliveries }| Delivery {
            record: self.decode(&entry, now),
            receipt: Receipt::of(entry.id),
            deliveries,
            trace_parent: entry.trace_parent,
        };
        handed.into_iter().map(delivery).collect()
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }
}

#[async_trait]
impl PositionStream for EmbeddedPositionStream {
    fn name(&self) -> &str {
        &self.stream.settings.name
    }

    /// Nothing is taken before there is something to give, so it may be cancelled here.
    async fn next_batch(&self) -> Result<Vec<Delivery>, StreamError> {
        let handed = timeout(self.stream.settings.block, async {
            loop {
                let mut arrival = pin!(self.stream.arrival.notified());
                // Before looking, so that what arrives after the look is noticed.
                arrival.as_mut().enable();
                let handed = self.at_hand();
                if !handed.is_empty() {
                    break handed;
                }
                arrival.await;
            }
        })
        .await
        .unwrap_or_default();
        Ok(self.stream.deliveries(handed))
    }

    async fn acknowledge(&self, settled: &[Settled]) -> Result<(), StreamError> {
        let removed = self.stream.log().settle(settled.iter().map(Settled::entry_id));
        self.stream.room.add_permits(removed);
        Ok(())
    }

    async fn reclaim(&self) -> Result<Vec<Delivery>, StreamError> {
        let Stream { settings, clock, .. } = &*self.stream;
        let handed =
            self.stream.log().take_over(&self.session, settings.claim_idle, settings.batch_size, clock.now());
        Ok(self.stream.deliveries(handed))
    }

    async fn keep_in_flight(&self) -> Result<(), StreamError> {
        self.stream.log().touch(&self.session, self.stream.clock.now());
        Ok(())
    }

    async fn standing(&self) -> Result<Standing, StreamError> {
        Ok(self.stream.log().standing())
    }
}

impl fmt::Debug for EmbeddedPositionStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EmbeddedPositionStream")
            .field("name", &self.stream.settings.name)
            .field("consumer", &self.session.consumer)
            .finish_non_exhaustive()
    }
}

/// What is locked here is whole between any two statements, so a panic elsewhere does not make it unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
