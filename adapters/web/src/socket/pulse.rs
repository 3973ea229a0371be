//! Whether the other side is still there.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::Timing;

/// The one clock of a socket: it begins with waiting for the first message, and then asks again and again whether
/// the other side is there.
pub(super) struct Pulse {
    /// In a box, for the socket is moved and a timer cannot be.
    alarm: Pin<Box<Sleep>>,
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
        Self {
            alarm: Box::pin(tokio::time::sleep(timing.first_message_within)),
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

    /// Waits until something is to be done.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn beat(&mut self) -> Beat {
        if self.waits_for == WaitsFor::TurnOfPing {
            return std::future::pending().await;
        }
        self.alarm.as_mut().await;
        match self.waits_for {
            WaitsFor::FirstMessage => Beat::NothingSaid,
            WaitsFor::NextPing => Beat::Ping,
            WaitsFor::TurnOfPing | WaitsFor::Pong => Beat::NoPong,
        }
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
        self.alarm.as_mut().reset(Instant::now() + time);
    }
}
