//! One viewer's socket: between the wire and its session.
//!
//! What is due is handed to the socket without a copy and written in as few system calls as it fits in, usually by
//! whoever brings it ([`line`]). One task reads, keeps time, and writes what the connection does not take at once; while
//! that is held up because the viewer does not read, it still reads, answers pings, and hears that it is to close.

mod line;
mod outbox;
mod pulse;
#[cfg(test)]
mod whatever;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use processor_live::{Close, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_websockets::Message;

use crate::SocketSettings;
use crate::frames::{not_understood, read};
use line::{Happening, Line};
use pulse::{Beat, Pulse};
use wire::Wire;

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
    let upgraded = match connection.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a viewer went away during the handshake"),
    };
    // As it was accepted: what the HTTP library puts around it would stand between each frame and the system.
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        return tracing::error!("a viewer's connection is none of the live port's");
    };
    // A part of the library's buffer would keep all of it.
    let early = Bytes::copy_from_slice(&read_buf);
    drop(read_buf);
    Socket::new(io.into_inner(), early, session, timing).serve().await;
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
    line: Arc<Line<S>>,
    pulse: Pulse,
    close_within: Duration,
    mistakes: usize,
    control_messages: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket<S> {
    /// Serves on a connection of which `early` was read already.
    pub(crate) fn new(io: S, early: Bytes, session: Session, timing: Timing) -> Self {
        let line = Arc::new(Line::new(Wire::new(io, early), session));
        line.session().attach(Arc::<Line<S>>::downgrade(&line));
        Self {
            line,
            pulse: Pulse::begin(timing),
            close_within: timing.close_within,
            mistakes: 0,
            control_messages: 0,
        }
    }

    pub(crate) async fn serve(mut self) {
        let end = self.talk().await;
        tracing::trace!(?end, "a viewer's socket ends");
        let Some(mut wire) = self.line.take() else { return };
        match end {
            End::Close { code, reason } => wire.close(code, reason),
            End::Answer => {}
            End::Gone => return,
        }
        // Whoever does not answer in time is cut off.
        drop(tokio::time::timeout(self.close_within, wire.finish()).await);
    }

    async fn talk(&mut self) -> End {
        loop {
            let happened = tokio::select! {
                biased;
                happening = self.line.next() => match happening {
                    Ok(Happening::Heard(message)) => self.hear(&message),
                    Ok(Happening::Written) => {
                        self.pulse.ping_is_written();
                        Ok(())
                    }
                    Err(end) => Err(end),
                },
                beat = self.pulse.beat() => self.keep_time(beat),
            };
            if let Err(end) = happened {
                return end;
            }
        }
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
            Ok(message) => self.line.session().handle(message),
            Err(_) if self.mistakes >= MISTAKES => {
                return Err(self.close(Close::BadMessage, "too many messages that are none"));
            }
            Err(unreadable) => {
                self.mistakes += 1;
                self.line.with(|wire| {
                    wire.send(not_understood(&unreadable));
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn keep_time(&mut self, beat: Beat) -> Result<(), End> {
        match beat {
            Beat::NothingSaid => Err(self.close(Close::BadMessage, "nothing was asked for")),
            // The ping may stand behind messages that are held up somewhere on the way.
            Beat::NoPong if self.line.with(|wire| Ok(wire.in_hand()))? => {
                self.pulse.asked(true);
                Ok(())
            }
            Beat::NoPong => Err(End::Gone),
            Beat::Ping => {
                self.control_messages = 0;
                let held_up = self.line.with(|wire| {
                    let held_up = wire.in_hand();
                    wire.ping().map(|()| held_up)
                })?;
                self.pulse.asked(held_up);
                Ok(())
            }
        }
    }

    /// Closes for a reason of the wire's.
    fn close(&self, why: Close, reason: &'static str) -> End {
        self.line.session().close(why);
        End::Close { code: why.code(), reason }
    }
}

impl From<Close> for End {
    fn from(why: Close) -> Self {
        Self::Close { code: why.code(), reason: why.reason() }
    }
}
