//! Messages on a connection.

use std::future::poll_fn;
use std::mem::take;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use processor_live::ServerMessage;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::{CloseCode, Error, Limits, Message, ServerBuilder, WebSocketStream};

use super::outbox::Outbox;
use super::{End, LARGEST_MESSAGE};
use crate::frames::parts_of;

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
    /// Messages of the session are among it.
    in_hand: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// `early` is what was read of the connection already.
    pub(super) fn new(io: S, early: Bytes) -> Self {
        let limits = Limits::default().max_payload_len(Some(LARGEST_FRAME));
        let stream = ServerBuilder::new().limits(limits).serve(Outbox::new(io, early));
        Self { stream, sending: false, in_hand: false }
    }

    /// Sends a frame, or a part of one whose other parts follow, after all that was sent before. It does not wait:
    /// how much is sent before it is written is for the caller to bound.
    pub(super) fn send(&mut self, part: Bytes) {
        self.sending = true;
        self.stream.get_mut().put(part);
    }

    /// Sends messages of the session.
    pub(super) fn give(&mut self, messages: Vec<ServerMessage>) {
        for message in messages {
            parts_of(message, |part| self.send(part));
        }
        self.in_hand = true;
    }

    /// Whether messages of the session are not written yet.
    pub(super) const fn in_hand(&self) -> bool {
        self.in_hand
    }

    /// Whether messages of the session were; to be called when everything is written.
    pub(super) fn take_in_hand(&mut self) -> bool {
        take(&mut self.in_hand)
    }

    /// Whether something was sent that is not written yet.
    pub(super) const fn is_sending(&self) -> bool {
        self.sending
    }

    /// Asks whether the other side is there.
    pub(super) fn ping(&mut self) -> Result<(), End> {
        self.sending = true;
        self.stream.start_send_unpin(Message::ping("")).map_err(|error| end_of(&error))
    }

    /// What is heard next.
    pub(super) fn poll_hear(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, End>> {
        self.stream.poll_next_unpin(context).map(|heard| match heard {
            Some(Ok(message)) if message.is_close() => Err(End::Answer),
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(end_of(&error)),
            None => Err(End::Gone),
        })
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
            if let Poll::Ready(Err(_)) = self.poll_write(context) {
                return Poll::Ready(());
            }
            closing
        })
        .await;
    }

    /// Writes what was sent, as much as can be; ready when all is written.
    pub(super) fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        // What the library has to say goes into the outbox; that does not wait.
        if let Poll::Ready(Err(_)) = self.stream.poll_flush_unpin(context) {
            return Poll::Ready(Err(End::Gone));
        }
        self.poll_send(context)
    }

    /// The same without what the library has to say, which is only there after something was heard.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let written = self.stream.get_mut().poll_send(context);
        self.sending &= written.is_pending();
        written.map_err(|_| End::Gone)
    }
}

/// What an error on the wire leads to.
fn end_of(error: &Error) -> End {
    match error {
        Error::Protocol(_) | Error::PayloadTooLong { .. } => End::Answer,
        _ => End::Gone,
    }
}
