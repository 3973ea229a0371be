//! Whether the other side is still there.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::Timing;

/// The one clock of a socket: it begins with waiting for the first message, and then asks again and again whether
/// the other side is there.
pub(super) struct Pulse {
    /// In a box, for the socket is moved and a timer cannot be.
    alarm: Pin<Box<Sleep>>,
    /// When it rings.
    at: Instant,
    /// It will wake the task, so it need not be looked at before its time: a viewer is woken for much else.
    set: bool,
    waits_for: WaitsFor,
    ping_every: Duration,
    pong_within: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    FirstMessage,
    NextPing,
    /// A ping stands behind messages that are held up. Whether somebody who does not read is waited for is
    /// decided by the session's patience.
    TurnOfPing,
    Pong,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing was said since the beginning.
    NothingSaid,
    /// It is time to ask, and then to call [`Pulse::asked`].
    Ping,
    /// It did not answer.
    NoPong,
}

impl Pulse {
    pub(super) fn begin(timing: Timing) -> Self {
        let at = Instant::now() + timing.first_message_within;
        Self {
            alarm: Box::pin(tokio::time::sleep_until(at)),
            at,
            set: false,
            waits_for: WaitsFor::FirstMessage,
            ping_every: timing.ping_every,
            pong_within: timing.pong_within,
        }
    }

    /// The first message came.
    pub(super) fn first_message(&mut self) {
        if self.waits_for == WaitsFor::FirstMessage {
            self.wait(WaitsFor::NextPing, self.ping_every);
        }
    }

    /// Waits until something is to be done. It is to be called by one task only.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn beat(&mut self) -> Beat {
        poll_fn(|context| {
            let beat = match self.waits_for {
                WaitsFor::TurnOfPing => return Poll::Pending,
                WaitsFor::FirstMessage => Beat::NothingSaid,
                WaitsFor::NextPing => Beat::Ping,
                WaitsFor::Pong => Beat::NoPong,
            };
            if self.set && Instant::now() < self.at {
                return Poll::Pending;
            }
            self.set = true;
            self.alarm.as_mut().poll(context).map(|()| beat)
        })
        .await
    }

    /// A ping was sent: it is written at once, or after messages that are held up.
    pub(super) fn asked(&mut self, held_up: bool) {
        if held_up {
            self.waits_for = WaitsFor::TurnOfPing;
        } else {
            self.wait(WaitsFor::Pong, self.pong_within);
        }
    }

    /// Everything that was sent is written.
    pub(super) fn ping_is_written(&mut self) {
        if self.waits_for == WaitsFor::TurnOfPing {
            self.wait(WaitsFor::Pong, self.pong_within);
        }
    }

    /// It answered.
    pub(super) fn pong(&mut self) {
        if matches!(self.waits_for, WaitsFor::Pong | WaitsFor::TurnOfPing) {
            self.wait(WaitsFor::NextPing, self.ping_every);
        }
    }

    fn wait(&mut self, what: WaitsFor, time: Duration) {
        self.waits_for = what;
        self.at = Instant::now() + time;
        self.alarm.as_mut().reset(self.at);
        self.set = false;
    }
}
