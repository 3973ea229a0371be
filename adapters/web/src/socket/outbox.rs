//! What is to be written, in parts.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Parts written in one system call.
const PARTS_AT_ONCE: usize = 32;

/// A connection with what waits to be written to it.
///
/// Frames that are ready go into it as they are, shared with other viewers. The WebSocket library writes its own
/// few bytes into it, answers to pings and closes, and never waits: all that is written is written by
/// [`Self::poll_send`].
pub(super) struct Outbox<S> {
    connection: S,
    /// What was read of the connection before it came here.
    early: Bytes,
    /// What is written next, here and not in the list, because it is nearly always all there is; empty if nothing
    /// waits.
    first: Bytes,
    /// What comes after it.
    others: VecDeque<Bytes>,
}

impl<S> Outbox<S> {
    /// What was read of the connection already is read again.
    pub(super) const fn new(connection: S, early: Bytes) -> Self {
        Self { connection, early, first: Bytes::new(), others: VecDeque::new() }
    }

    /// Puts something behind all that waits already.
    pub(super) fn put(&mut self, part: Bytes) {
        if self.first.is_empty() {
            self.first = part;
        } else if !part.is_empty() {
            self.others.push_back(part);
        }
    }
}

impl<S: AsyncWrite + Unpin> Outbox<S> {
    /// Writes what waits; ready when nothing does any more.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.first.is_empty() {
            let Self { connection, first, others, .. } = self;
            let connection = Pin::new(connection);
            let written = if others.is_empty() {
                // A little cheaper than a list of one.
                ready!(connection.poll_write(context, first))?
            } else {
                let mut slices = [IoSlice::new(&[]); PARTS_AT_ONCE];
                let count = slices.len().min(1 + others.len());
                for (slice, part) in slices.iter_mut().zip(iter::once(&*first).chain(&*others)) {
                    *slice = IoSlice::new(part);
                }
                ready!(connection.poll_write_vectored(context, &slices[..count]))?
            };
            if written == 0 {
                return Poll::Ready(Err(Error::from(ErrorKind::WriteZero)));
            }
            self.forget(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes away so many bytes that were written.
    fn forget(&mut self, mut written: usize) {
        while written >= self.first.len() {
            written -= self.first.len();
            let Some(next) = self.others.pop_front() else {
                self.first = Bytes::new();
                return;
            };
            self.first = next;
        }
        self.first.advance(written);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outbox<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.connection).poll_read(context, buffer);
        }
        let count = self.early.len().min(buffer.remaining());
        buffer.put_slice(&self.early.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outbox<S> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.put(Bytes::copy_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Takes so many bytes at a time, one number after another, and nothing at a zero.
    struct Narrow {
        takes: Vec<usize>,
        taken: Vec<u8>,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
            match self.takes.pop() {
                Some(0) => Poll::Pending,
                takes => {
                    let count = takes.unwrap_or(usize::MAX).min(bytes.len());
                    self.taken.extend_from_slice(&bytes[..count]);
                    Poll::Ready(Ok(count))
                }
            }
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<Result<usize>> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.poll_write(context, &all)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    proptest! {
        #[test]
        fn everything_is_written_once_and_in_order_however_little_is_taken_at_a_time(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..80),
            takes in prop::collection::vec(0_usize..50, 0..60),
        ) {
            let mut outbox = Outbox::new(Narrow { takes, taken: Vec::new() }, Bytes::new());
            for part in &parts {
                outbox.put(part.clone().into());
            }
            let mut context = Context::from_waker(std::task::Waker::noop());
            while outbox.poll_send(&mut context).is_pending() {}
            prop_assert_eq!(&outbox.connection.taken, &parts.concat());
        }
    }
}
