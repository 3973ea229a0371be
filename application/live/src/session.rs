//! One viewer's socket, as the river sees it.

mod book;
mod vigil;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use processor_domain::ports::Clock;
use processor_domain::{Credential, EventId, Viewer};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument, Span};

use crate::LiveSettings;
use crate::doorkeeper::Doorkeeper;
use crate::lock::lock;
use crate::message::{ClientMessage, Close, Denial, Outgoing};
use crate::metrics::LiveMetrics;
use crate::outlet::{Bell, Outlet};
use crate::seats::Seat;
use crate::topics::Topics;
use crate::trace;
use book::{Asked, Book};

/// One viewer's socket: what it says is handed in, and what it is to be sent is asked for.
///
/// All methods may be called at the same time, from whoever reads the socket and whoever writes to it.
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
    /// There may be something to be sent.
    bell: Arc<Bell>,
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
            bell: Arc::default(),
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
        let asked = lock(&desk.book).take_message(message);
        match asked {
            Ok(Some(asked)) => {
                let (desk, left) = (Arc::clone(desk), desk.left.clone());
                let span = trace::subscribe(&desk.span, &asked.event);
                let answer = async move { left.run_until_cancelled(desk.answer(asked)).await };
                tokio::spawn(answer.instrument(span));
            }
            Ok(None) => desk.bell.wake(),
            Err(close) => desk.close(close),
        }
    }

    /// Offers what is due to this outlet, before the task that waits in [`Self::poll_due`] is woken for it. To be called
    /// before anything is handed in; the first one given stays.
    pub fn attach(&self, outlet: Weak<dyn Outlet>) {
        self.desk.bell.attach(outlet);
    }

    /// What is to be sent now, if anything. Everything that is due by now comes at once, but not much more than
    /// [`LiveSettings::backlog_bytes`] at a time.
    ///
    /// Nothing more comes until [`Self::written`] is called, except the end.
    #[must_use]
    pub fn due(&self) -> Option<Outgoing> {
        self.desk.due()
    }

    /// The same, and the task is woken when there may be something. Only one task is: the one that asked last.
    pub fn poll_due(&self, context: &Context<'_>) -> Poll<Outgoing> {
        // Before it is looked, so that what comes after the look wakes.
        self.desk.bell.register(context.waker());
        self.desk.due().map_or(Poll::Pending, Poll::Ready)
    }

    /// The same; waits until there is something.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not returned is returned by the next call.
    pub async fn next(&self) -> Outgoing {
        poll_fn(|context| self.poll_due(context)).await
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
}

impl Drop for Session {
    fn drop(&mut self) {
        lock(&self.desk.book).clear();
    }
}

impl Desk {
    fn close(&self, why: Close) {
        let first = lock(&self.book).close(why);
        if first {
            tracing::debug!(code = why.code(), reason = why.reason(), "closing a viewer's socket");
            trace::closed(&self.span, why);
            self.bell.wake();
        }
    }

    fn due(&self) -> Option<Outgoing> {
        let due = lock(&self.book).due();
        match due {
            Ok(due) => due,
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
                let watching = self.topics.watch(&event, &self.bell);
                watching.topic.answerable(self.settings.snapshot_within).await;
                lock(&self.book).allow(number, watching);
            }
            Ok(false) => lock(&self.book).deny(number, Denial::Forbidden),
            Err(_) => lock(&self.book).deny(number, Denial::Unavailable),
        }
        self.bell.wake();
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
