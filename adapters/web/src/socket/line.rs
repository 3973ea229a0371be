//! A connection with its session, for the viewer's own task and for those who bring news.

use std::future::poll_fn;
use std::sync::{Mutex, TryLockError};
use std::task::{Context, Poll, Waker};

use processor_live::{Outgoing, Outlet, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::Message;

use super::End;
use super::wire::Wire;

/// A connection with its session. Whoever holds the lock on the wire may give it what is due, so a frame is usually
/// written by the one who brings it. The viewer's own task is for all that has to wait: reading, time, and what the
/// connection does not take at once.
pub(super) struct Line<S> {
    session: Session,
    /// `None` when nothing is to be told any more. Never locked while waiting.
    wire: Mutex<Option<Wire<S>>>,
}

/// What happens on a line.
pub(super) enum Happening {
    /// The other side sent this, which is not a close.
    Heard(Message),
    /// Everything sent so far is written.
    Written,
}

impl<S> Line<S> {
    pub(super) const fn new(wire: Wire<S>, session: Session) -> Self {
        Self { session, wire: Mutex::new(Some(wire)) }
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    /// Takes the wire away: nothing is told on it any more.
    pub(super) fn take(&self) -> Option<Wire<S>> {
        self.wire.lock().ok()?.take()
    }

    /// Does something with the wire, which does not wait.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Wire<S>) -> Result<T, End>) -> Result<T, End> {
        // Whoever panicked may have written half of something.
        let wire = &mut *self.wire.lock().map_err(|_| End::Gone)?;
        wire.as_mut().map_or(Err(End::Gone), work)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// What happens next; meanwhile, what is due is written. To be called by one task only.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost.
    pub(super) async fn next(&self) -> Result<Happening, End> {
        poll_fn(|context| {
            self.with(|wire| Ok(self.poll_next(wire, context))).unwrap_or_else(|end| Poll::Ready(Err(end)))
        })
        .await
    }

    fn poll_next(&self, wire: &mut Wire<S>, context: &mut Context<'_>) -> Poll<Result<Happening, End>> {
        // What a viewer waits for comes first.
        match self.session.poll_due(context) {
            Poll::Ready(Outgoing::Messages(messages)) => wire.give(messages),
            Poll::Ready(Outgoing::Close(why)) => return Poll::Ready(Err(why.into())),
            Poll::Pending => {}
        }
        // Whatever else happens, it goes on being written.
        let sending = wire.is_sending();
        if wire.poll_write(context)?.is_ready() && sending {
            self.written(wire);
            return Poll::Ready(Ok(Happening::Written));
        }
        wire.poll_hear(context).map_ok(Happening::Heard)
    }

    /// Everything that was given is written.
    fn written(&self, wire: &mut Wire<S>) {
        if wire.take_in_hand() {
            self.session.written();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Outlet for Line<S> {
    fn offer(&self) -> bool {
        let mut locked = match self.wire.try_lock() {
            Ok(locked) => locked,
            // The task may have looked already, or somebody else.
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return false,
        };
        let Some(wire) = &mut *locked else { return true };
        // The task waits until that is written, and looks again then.
        if wire.is_sending() {
            return true;
        }
        match self.session.due() {
            None => true,
            Some(Outgoing::Close(_)) => false,
            Some(Outgoing::Messages(messages)) => {
                wire.give(messages);
                // If it cannot be written now the task tries again, and is woken when it can.
                let written = wire.poll_send(&mut Context::from_waker(Waker::noop()));
                let all = matches!(written, Poll::Ready(Ok(())));
                if all {
                    self.written(wire);
                }
                all
            }
        }
    }
}
