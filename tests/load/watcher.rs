//! One viewer: a socket that is read, and nothing more.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::ready;
use std::time::Duration;

use anyhow::Context;
use processor_domain::ports::{Clock, SystemClock};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::audience::{Ending, Kind, Seat, Seen};
use crate::frames::{Frame, Frames};
use crate::scene::{EVENT, session_of};
use crate::told::{Message, read};

/// What the system of somebody who reads slowly keeps, about.
const SMALL_BUFFER: u32 = 4 << 10;

/// For so long whoever is stalled does not read: longer than `LIVE_PATIENCE_MS`, and shorter than with the time for
/// closing.
const STALLED: Duration = Duration::from_secs(34);
/// For so long it reads then, unless it is closed.
const READS: Duration = Duration::from_secs(3);

/// What a slow viewer reads in a second.
const SLOW_BYTES: usize = 1 << 10;

/// Before somebody who was closed comes back.
const PAUSE: Duration = Duration::from_secs(1);

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

/// Reads for ever, and comes back when it is closed.
pub(crate) async fn watch(seat: Seat, address: SocketAddr, seen: Arc<Seen>, stream: TcpStream) {
    let mut stream = stream;
    loop {
        let ending = Watcher { stream, frames: Frames::default(), seq: 0, kind: seat.kind, seen: &seen };
        seen.ended(seat.kind, ending.read().await);
        stream = loop {
            sleep(PAUSE).await;
            match connect(address, seat).await {
                Ok(stream) => break stream,
                Err(_) => seen.ended(seat.kind, Ending::Refused),
            }
        };
    }
}

/// Connects and subscribes.
pub(crate) async fn connect(address: SocketAddr, seat: Seat) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if seat.kind != Kind::Prompt {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    let mut stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    let session = session_of(seat.number);
    let head = format!(
        "GET /live HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Cookie: directus_session_token={session}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    // Nothing follows the head before something was asked for.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let read = stream.read_buf(&mut answer).await?;
        anyhow::ensure!(read > 0, "the connection ended in place of an answer");
        anyhow::ensure!(
            answer.len() < 12 || answer.starts_with(b"HTTP/1.1 101"),
            "not let in: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    let subscribe = format!(r#"{{"type":"subscribe","topic":"event:{EVENT}"}}"#);
    let mut frame = vec![0x81, 0x80 | u8::try_from(subscribe.len()).context("short")?, 0, 0, 0, 0];
    frame.extend_from_slice(subscribe.as_bytes());
    stream.write_all(&frame).await?;
    Ok(stream)
}

struct Watcher<'a> {
    stream: TcpStream,
    frames: Frames,
    /// Of the frame that came last.
    seq: u64,
    kind: Kind,
    seen: &'a Seen,
}

impl Watcher<'_> {
    async fn read(mut self) -> Ending {
        loop {
            let ending = match self.kind {
                Kind::Prompt => self.read_once(usize::MAX).await,
                Kind::Slow => {
                    sleep(Duration::from_secs(1)).await;
                    self.read_once(SLOW_BYTES).await
                }
                Kind::Stalled => {
                    sleep(STALLED).await;
                    self.read_for(READS).await
                }
            };
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    async fn read_for(&mut self, time: Duration) -> Option<Ending> {
        let end = Instant::now() + time;
        while let Ok(read) = timeout_at(end, self.read_once(usize::MAX)).await {
            if read.is_some() {
                return read;
            }
        }
        None
    }

    /// Reads what there is, but not more than this; waits until there is something.
    async fn read_once(&mut self, at_most: usize) -> Option<Ending> {
        let Self { stream, frames, seq, kind, seen } = self;
        let mut ending = None;
        let mut pings = 0;
        poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let room = buffer.len().min(at_most);
                let mut buffer = ReadBuf::new(&mut buffer[..room]);
                // Unlike reading by hand, this notes when there is no more without asking the system again.
                let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
                let bytes = buffer.filled();
                if read.is_err() || bytes.is_empty() {
                    ending = Some(Ending::Lost);
                }
                frames.take(bytes, |frame| match frame.opcode {
                    1 => take(seen, *kind, seq, frame),
                    8 => ending = Some(Ending::Closed(code_of(frame.start))),
                    9 => pings += 1,
                    _ => {}
                });
                std::task::Poll::Ready(())
            })
        })
        .await;
        for _ in 0..pings {
            // If there is no room for it, it is gone: so is the viewer then.
            stream.try_write(&[0x8A, 0x80, 0, 0, 0, 0]).ok();
        }
        ending
    }
}

fn code_of(close: &[u8]) -> u16 {
    close.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
}

fn take(seen: &Seen, kind: Kind, seq: &mut u64, frame: Frame<'_>) {
    match read(frame.start) {
        Message::Positions(told) => {
            let missing = if told.conflated { told.seq <= *seq } else { told.seq != *seq + 1 };
            *seq = told.seq;
            let delay = told.first.map(|first| SystemClock.now().since(first));
            seen.frame(kind, frame.bytes, told.conflated, missing, delay);
        }
        Message::Subscribed(of) => *seq = of,
        Message::Other => seen.other(kind),
    }
}
