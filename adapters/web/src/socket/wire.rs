//! Messages on a connection.

use std::future::poll_fn;
use std::task::Poll;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::{CloseCode, Config, Error, Limits, Message, ServerBuilder, WebSocketStream};

use super::{End, LARGEST_MESSAGE};

/// What is larger than this is not even read: the library closes with 1009. What is larger than a message may be
/// and not larger than this is read, so that the socket is closed with a code of its own.
const LARGEST_FRAME: usize = 4 * LARGEST_MESSAGE;

/// Messages on a connection. What is sent waits here until [`Self::next`] writes it, all in one system call if it
/// fits; the payload is shared and not copied.
pub(super) struct Wire<S> {
    stream: WebSocketStream<S>,
    writing: bool,
}

/// What happens on the wire.
pub(super) enum Happening {
    /// The other side sent this, which is not a close.
    Heard(Message),
    /// Everything sent so far is written.
    Written,
    /// The other side closes, or broke the protocol; the answer has to be written.
    Answer,
    /// The connection is lost.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(io: S) -> Self {
        let limits = Limits::default().max_payload_len(Some(LARGEST_FRAME));
        // One message is one frame, whatever its size.
        let config = Config::default().frame_size(usize::MAX);
        let stream = ServerBuilder::new().limits(limits).config(config).serve(io);
        Self { stream, writing: false }
    }

    /// Sends a message after all that were sent before. It does not wait: how much is sent before it is written
    /// is for the caller to bound.
    pub(super) fn send(&mut self, message: Message) -> Result<(), End> {
        self.writing = true;
        self.stream.start_send_unpin(message).map_err(|error| end_of(&error))
    }

    /// What happens next. While something is to be written it goes on being written, whatever else happens.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost.
    pub(super) async fn next(&mut self) -> Happening {
        let Self { stream, writing } = self;
        poll_fn(|context| {
            if *writing && let Poll::Ready(written) = stream.poll_flush_unpin(context) {
                *writing = false;
                return Poll::Ready(written.map_or(Happening::Gone, |()| Happening::Written));
            }
            stream.poll_next_unpin(context).map(|heard| match heard {
                Some(Ok(message)) if message.is_close() => Happening::Answer,
                Some(Ok(message)) => Happening::Heard(message),
                Some(Err(error)) => match end_of(&error) {
                    End::Gone => Happening::Gone,
                    End::Answer | End::Close { .. } => Happening::Answer,
                },
                None => Happening::Gone,
            })
        })
        .await
    }

    /// Sends that it is to be closed.
    pub(super) fn close(&mut self, code: u16, reason: &'static str) {
        let code = CloseCode::try_from(code).unwrap_or(CloseCode::GOING_AWAY);
        // If it is being closed already, that stays as it is.
        drop(self.stream.start_send_unpin(Message::close(Some(code), reason)));
    }

    /// Writes what is left, waits for the other side to have it, and closes the connection.
    pub(super) async fn finish(&mut self) {
        if let Err(error) = self.stream.close().await {
            tracing::trace!(%error, "the other side was gone before it was closed");
        }
    }
}

/// What an error on the wire leads to.
fn end_of(error: &Error) -> End {
    match error {
        Error::Protocol(_) | Error::PayloadTooLong { .. } => End::Answer,
        _ => End::Gone,
    }
}
