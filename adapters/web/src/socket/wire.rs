//! Messages on a connection.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::{CloseCode, Error, Limits, Message, ServerBuilder, WebSocketStream};

use super::outbox::Outbox;
use super::{End, LARGEST_MESSAGE};

/// What is larger than this is not even read: the library closes with 1009. What is larger than a message may be
/// and not larger than this is read, so that the socket is closed with a code of its own.
const LARGEST_FRAME: usize = 4 * LARGEST_MESSAGE;

/// Messages on a connection. The library reads, and keeps to the protocol; frames of text are ready when they come
/// here and are written past it, for it would write the head of each as a part of its own and could not share a
/// frame that is made of several parts.
pub(super) struct Wire<S> {
    stream: WebSocketStream<Outbox<S>>,
    /// Something was sent of which it has not been said that it is written.
    sending: bool,
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
        let stream = ServerBuilder::new().limits(limits).serve(Outbox::new(io));
        Self { stream, sending: false }
    }

    /// Sends a frame, or a part of one whose other parts follow, after all that was sent before. It does not wait:
    /// how much is sent before it is written is for the caller to bound.
    pub(super) fn send(&mut self, part: Bytes) {
        self.sending = true;
        self.stream.get_mut().put(part);
    }

    /// Asks whether the other side is there.
    pub(super) fn ping(&mut self) -> Result<(), End> {
        self.sending = true;
        self.stream.start_send_unpin(Message::ping("")).map_err(|error| end_of(&error))
    }

    /// Writes as much as can be written without waiting, which is usually all; whether it was all.
    pub(super) async fn write(&mut self) -> Result<bool, End> {
        match poll_fn(|context| Poll::Ready(self.poll_write(context))).await {
            Poll::Ready(Err(())) => Err(End::Gone),
            Poll::Ready(Ok(())) => Ok(true),
            Poll::Pending => Ok(false),
        }
    }

    /// What happens next. While something is to be written it goes on being written, whatever else happens.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost.
    pub(super) async fn next(&mut self) -> Happening {
        poll_fn(|context| {
            let sending = self.sending;
            match self.poll_write(context) {
                Poll::Ready(Err(())) => return Poll::Ready(Happening::Gone),
                Poll::Ready(Ok(())) if sending => return Poll::Ready(Happening::Written),
                _ => {}
            }
            self.stream.poll_next_unpin(context).map(|heard| match heard {
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
        poll_fn(|context| {
            let closing = self.stream.poll_close_unpin(context).map(drop);
            if let Poll::Ready(Err(())) = self.poll_write(context) {
                return Poll::Ready(());
            }
            closing
        })
        .await;
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        // What the library has to say goes into the outbox; that does not wait.
        if let Poll::Ready(Err(_)) = self.stream.poll_flush_unpin(context) {
            return Poll::Ready(Err(()));
        }
        let written = self.stream.get_mut().poll_send(context);
        self.sending &= written.is_pending();
        written.map_err(drop)
    }
}

/// What an error on the wire leads to.
fn end_of(error: &Error) -> End {
    match error {
        Error::Protocol(_) | Error::PayloadTooLong { .. } => End::Answer,
        _ => End::Gone,
    }
}
