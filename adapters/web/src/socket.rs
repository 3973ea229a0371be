//! One viewer's socket: between the wire and its session.
//!
//! One task reads, writes and keeps time. What is due is handed to the socket without a copy and written in as
//! few system calls as it fits in; while that is held up because the viewer does not read, the same task still
//! reads, answers pings, and hears that it is to close.

mod outbox;
mod pulse;
#[cfg(test)]
mod whatever;
mod wire;

use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use processor_live::{Close, Outgoing, ServerMessage, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::Message;

use crate::SocketSettings;
use crate::frames::{not_understood, parts_of, read};
use pulse::{Beat, Pulse};
use wire::{Happening, Wire};

/// Messages that are no messages and are answered nevertheless; after the next one the socket is closed.
const MISTAKES: usize = 3;

/// Largest message of a client, in bytes.
const LARGEST_MESSAGE: usize = 16 << 10;

/// Pings and pongs of a client between two of the server's own pings.
const CONTROL_MESSAGES: usize = 64;

/// How long what may take time may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    first_message_within: Duration,
    ping_every: Duration,
    pong_within: Duration,
    close_within: Duration,
}

impl SocketSettings {
    pub(crate) const fn timing(&self) -> Timing {
        let Self { first_message_within, ping_every, pong_within, close_within, .. } = self;
        Timing {
            first_message_within: *first_message_within,
            ping_every: *ping_every,
            pong_within: *pong_within,
            close_within: *close_within,
        }
    }
}

/// Serves a viewer until either side closes. When the instance stops it is the session that says so.
pub(crate) async fn serve(connection: OnUpgrade, session: Session, timing: Timing) {
    match connection.await {
        Ok(io) => Socket::new(TokioIo::new(io), session, timing).serve().await,
        Err(error) => tracing::debug!(%error, "a viewer went away during the handshake"),
    }
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// We close it.
    Close { code: u16, reason: &'static str },
    /// The other side closes, or broke the protocol; the library has the answer ready.
    Answer,
    /// The other side is gone: there is nobody to say anything to.
    Gone,
}

pub(crate) struct Socket<S> {
    wire: Wire<S>,
    session: Session,
    pulse: Pulse,
    close_within: Duration,
    /// Messages of the session are being written.
    in_hand: bool,
    mistakes: usize,
    control_messages: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(crate) fn new(io: S, session: Session, timing: Timing) -> Self {
        Self {
            wire: Wire::new(io),
            session,
            pulse: Pulse::begin(timing),
            close_within: timing.close_within,
            in_hand: false,
            mistakes: 0,
            control_messages: 0,
        }
    }

    pub(crate) async fn serve(mut self) {
        let end = self.talk().await;
        tracing::trace!(?end, "a viewer's socket ends");
        match end {
            End::Close { code, reason } => self.wire.close(code, reason),
            End::Answer => {}
            End::Gone => return,
        }
        // Whoever does not answer in time is cut off.
        drop(tokio::time::timeout(self.close_within, self.wire.finish()).await);
    }

    async fn talk(&mut self) -> End {
        loop {
            let happened = tokio::select! {
                // What a viewer waits for comes first: when there is something to be sent, that is nearly always
                // what the task was woken for, and asking after all else costs as much as sending it.
                biased;
                outgoing = self.session.next(), if !self.in_hand => match outgoing {
                    Outgoing::Messages(messages) => self.send(messages).await,
                    Outgoing::Close(why) => Err(why.into()),
                },
                // A socket that takes nothing is not told by `next`.
                why = self.session.closed(), if self.in_hand => Err(why.into()),
                happening = self.wire.next() => match happening {
                    Happening::Heard(message) => self.hear(&message),
                    Happening::Written => {
                        self.written();
                        Ok(())
                    }
                    Happening::Answer => Err(End::Answer),
                    Happening::Gone => Err(End::Gone),
                },
                beat = self.pulse.beat() => self.keep_time(beat),
            };
            if let Err(end) = happened {
                return end;
            }
        }
    }

    async fn send(&mut self, messages: Vec<ServerMessage>) -> Result<(), End> {
        for message in messages {
            parts_of(message, |part| self.wire.send(part));
        }
        self.in_hand = true;
        if self.wire.write().await? {
            self.written();
        }
        Ok(())
    }

    /// Everything that was to be written is written.
    fn written(&mut self) {
        if std::mem::take(&mut self.in_hand) {
            self.session.written();
        }
        self.pulse.ping_is_written();
    }

    fn hear(&mut self, message: &Message) -> Result<(), End> {
        if message.is_ping() || message.is_pong() {
            self.control_messages += 1;
            if self.control_messages > CONTROL_MESSAGES {
                return Err(self.close(Close::TooMany, "too many pings"));
            }
            if message.is_pong() {
                self.pulse.pong();
            }
            return Ok(());
        }
        if message.as_payload().len() > LARGEST_MESSAGE {
            return Err(self.close(Close::BadMessage, "a message has at most 16384 bytes"));
        }
        let Some(text) = message.as_text() else {
            return Err(self.close(Close::BadMessage, "a message is text"));
        };
        self.pulse.first_message();
        match read(text) {
            Ok(message) => self.session.handle(message),
            Err(_) if self.mistakes >= MISTAKES => {
                return Err(self.close(Close::BadMessage, "too many messages that are none"));
            }
            Err(unreadable) => {
                self.mistakes += 1;
                self.wire.send(not_understood(&unreadable));
            }
        }
        Ok(())
    }

    fn keep_time(&mut self, beat: Beat) -> Result<(), End> {
        match beat {
            Beat::NothingSaid => Err(self.close(Close::BadMessage, "nothing was asked for")),
            // The ping may stand behind messages that are held up somewhere on the way.
            Beat::NoPong if self.in_hand => {
                self.pulse.asked(true);
                Ok(())
            }
            Beat::NoPong => Err(End::Gone),
            Beat::Ping => {
                self.control_messages = 0;
                self.wire.ping()?;
                self.pulse.asked(self.in_hand);
                Ok(())
            }
        }
    }

    /// Closes for a reason of the wire's.
    fn close(&self, why: Close, reason: &'static str) -> End {
        self.session.close(why);
        End::Close { code: why.code(), reason }
    }
}

impl From<Close> for End {
    fn from(why: Close) -> Self {
        Self::Close { code: why.code(), reason: why.reason() }
    }
}
