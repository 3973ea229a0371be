//! What is to be written, in parts.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, IoSlice, Result};
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
    parts: VecDeque<Bytes>,
}

impl<S> Outbox<S> {
    pub(super) const fn new(connection: S) -> Self {
        Self { connection, parts: VecDeque::new() }
    }

    /// Puts something behind all that waits already.
    pub(super) fn put(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.parts.push_back(part);
        }
    }
}

impl<S: AsyncWrite + Unpin> Outbox<S> {
    /// Writes what waits; ready when nothing does any more.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { connection, parts } = self;
        let mut connection = Pin::new(connection);
        while let Some(first) = parts.front() {
            let written = if parts.len() == 1 {
                // A little cheaper than a list of one.
                ready!(connection.as_mut().poll_write(context, first))?
            } else {
                let mut slices = [IoSlice::new(&[]); PARTS_AT_ONCE];
                let count = parts.len().min(PARTS_AT_ONCE);
                for (slice, part) in slices.iter_mut().zip(&*parts) {
                    *slice = IoSlice::new(part);
                }
                ready!(connection.as_mut().poll_write_vectored(context, &slices[..count]))?
            };
            if written == 0 {
                return Poll::Ready(Err(Error::from(ErrorKind::WriteZero)));
            }
            forget(parts, written);
        }
        Poll::Ready(Ok(()))
    }
}

/// Takes away so many bytes that were written.
fn forget(parts: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = parts.front_mut() {
        if first.len() > written {
            first.advance(written);
            return;
        }
        written -= first.len();
        parts.pop_front();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outbox<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, buffer)
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
            let mut outbox = Outbox::new(Narrow { takes, taken: Vec::new() });
            for part in &parts {
                outbox.put(part.clone().into());
            }
            let mut context = Context::from_waker(std::task::Waker::noop());
            while outbox.poll_send(&mut context).is_pending() {}
            prop_assert_eq!(&outbox.connection.taken, &parts.concat());
        }
    }
}
