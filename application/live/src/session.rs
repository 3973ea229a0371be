//! One viewer's socket, as the river sees it.

mod book;
mod vigil;

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures::task::AtomicWaker;
use processor_domain::ports::Clock;
use processor_domain::{Credential, EventId, Viewer};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument, Span};

use crate::LiveSettings;
use crate::doorkeeper::Doorkeeper;
use crate::lock::lock;
use crate::message::{ClientMessage, Close, Denial, Outgoing};
use crate::metrics::LiveMetrics;
use crate::seats::Seat;
use crate::topics::Topics;
use crate::trace;
use book::{Asked, Book};

/// One viewer's socket: what it says is handed in, and what it is to be sent is asked for.
///
/// All methods may be called at the same time, from one task that reads the socket and one that writes to it.
/// Dropping it ends everything done for the viewer.
pub struct Session {
    desk: Arc<Desk>,
    viewer: Viewer,
    /// Cancels [`Desk::left`].
    _left: DropGuard,
    _seat: Seat,
}

/// What the tasks of a session share.
pub(crate) struct Desk {
    pub(crate) credential: Credential,
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) door: Arc<Doorkeeper>,
    pub(crate) topics: Arc<Topics>,
    pub(crate) metrics: Arc<LiveMetrics>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The viewer is gone: nothing is to be done for it any more.
    left: CancellationToken,
    /// Wakes whoever waits in [`Session::next`]: there may be something to be sent.
    wake: Arc<AtomicWaker>,
    closed: watch::Sender<Option<Close>>,
    book: Mutex<Book>,
    /// From the time the viewer was let in until the last task of the session has ended.
    span: Span,
}

/// What a session needs of the river.
pub(crate) struct Surroundings {
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) door: Arc<Doorkeeper>,
    pub(crate) topics: Arc<Topics>,
    pub(crate) metrics: Arc<LiveMetrics>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stopping: CancellationToken,
}

impl Session {
    pub(crate) fn begin(viewer: Viewer, credential: Credential, seat: Seat, river: Surroundings) -> Self {
        let Surroundings { settings, door, topics, metrics, clock, stopping } = river;
        let left = CancellationToken::new();
        let desk = Arc::new(Desk {
            credential,
            book: Mutex::new(Book::new(&settings)),
            settings,
            door,
            topics,
            metrics,
            clock,
            left: left.clone(),
            wake: Arc::default(),
            closed: watch::Sender::new(None),
            span: trace::session(),
        });
        tokio::spawn(vigil::keep(Arc::clone(&desk), viewer.clone(), stopping));
        Self { desk, viewer, _left: left.drop_guard(), _seat: seat }
    }

    /// Who is watching.
    #[must_use]
    pub const fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Takes a message of the client. It returns at once; what is answered comes out of [`Self::next`], exactly
    /// one answer for each message that is not answered by closing the socket.
    ///
    /// To be called within a Tokio runtime.
    pub fn handle(&self, message: ClientMessage) {
        let desk = &self.desk;
        if desk.is_closed() {
            return;
        }
        let asked = lock(&desk.book).take_message(message);
        match asked {
            Ok(Some(asked)) => {
                let (desk, left) = (Arc::clone(desk), desk.left.clone());
                let span = trace::subscribe(&desk.span, &asked.event);
                let answer = async move { left.run_until_cancelled(desk.answer(asked)).await };
                tokio::spawn(answer.instrument(span));
            }
            Ok(None) => desk.wake.wake(),
            Err(close) => desk.close(close),
        }
    }

    /// What is to be sent next; waits until there is something. Everything that is due by now comes at once, but
    /// not much more than [`LiveSettings::backlog_bytes`] at a time.
    ///
    /// It is to be called again only after [`Self::written`], and only by one task.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not returned is returned by the next call.
    pub async fn next(&self) -> Outgoing {
        poll_fn(|context| {
            // Before it is looked, so that what comes after the look wakes.
            self.desk.wake.register(context.waker());
            self.desk.due().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Says that the messages returned last have been written to the socket, all of them.
    ///
    /// If that takes longer than [`LiveSettings::patience`] the viewer is too slow.
    pub fn written(&self) {
        let Some(done) = lock(&self.desk.book).take_in_hand() else { return };
        let metrics = &self.desk.metrics;
        metrics.delivered.increment(done.delivered);
        if done.conflated > 0 {
            metrics.conflated.increment(done.conflated);
        }
        if done.received.is_some() {
            let now = self.desk.clock.now();
            for received in done.received() {
                metrics.delay.record(now.since(received));
            }
        }
    }

    /// Closes it, for a reason of the adapter's own such as [`Close::BadMessage`]. The first reason stays.
    pub fn close(&self, why: Close) {
        self.desk.close(why);
    }

    /// Waits until it is closed, whoever closed it. For whoever is held up writing to the socket: a socket that
    /// takes nothing is not told by [`Self::next`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn closed(&self) -> Close {
        let mut closed = self.desk.closed.subscribe();
        match closed.wait_for(Option::is_some).await {
            Ok(why) => why.unwrap_or(Close::GoingAway),
            // The sender lives as long as this session.
            Err(_) => Close::GoingAway,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        lock(&self.desk.book).clear();
    }
}

impl Desk {
    fn is_closed(&self) -> bool {
        self.closed.borrow().is_some()
    }

    fn close(&self, why: Close) {
        let first = self.closed.send_if_modified(|closed| {
            let first = closed.is_none();
            *closed = closed.or(Some(why));
            first
        });
        if first {
            tracing::debug!(code = why.code(), reason = why.reason(), "closing a viewer's socket");
            trace::closed(&self.span, why);
            lock(&self.book).clear();
            self.wake.wake();
        }
    }

    fn due(&self) -> Option<Outgoing> {
        if let Some(why) = *self.closed.borrow() {
            return Some(Outgoing::Close(why));
        }
        let due = lock(&self.book).due();
        match due {
            Ok(messages) => (!messages.is_empty()).then_some(Outgoing::Messages(messages)),
            Err(why) => {
                self.close(why);
                Some(Outgoing::Close(why))
            }
        }
    }

    /// Finds out what to answer to a subscription.
    async fn answer(&self, asked: Asked) {
        let Asked { number, event } = asked;
        let answer = self.door.may_see(&self.credential, &event).await;
        trace::answered(&Span::current(), &answer);
        match answer {
            Ok(true) => {
                let watching = self.topics.watch(&event, Arc::clone(&self.wake));
                watching.topic.answerable(self.settings.snapshot_within).await;
                lock(&self.book).allow(number, watching);
            }
            Ok(false) => lock(&self.book).deny(number, Denial::Forbidden),
            Err(_) => lock(&self.book).deny(number, Denial::Unavailable),
        }
        self.wake.wake();
    }

    /// How long the viewer may still take to read what it was sent last.
    fn patience_left(&self) -> Duration {
        let waiting = lock(&self.book).waiting_for();
        self.settings.patience.saturating_sub(waiting)
    }

    fn watched(&self) -> Vec<EventId> {
        lock(&self.book).watched()
    }
}
