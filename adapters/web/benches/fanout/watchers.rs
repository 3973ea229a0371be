//! Viewers, in a process of their own.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Viewers that have been told of the beginning.
pub(crate) struct Watchers {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Watchers {
    /// Each of them watches so many events.
    pub(crate) fn of(address: SocketAddr, viewers: usize, events: u64) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .args(["watch", &address.to_string(), &viewers.to_string(), &events.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut watchers = Self { process, said };
        watchers.frames(events);
        watchers
    }

    /// Waits until each of them has got so many more frames.
    pub(crate) fn frames(&mut self, count: u64) {
        for _ in 0..count {
            let mut line = String::new();
            self.said.read_line(&mut line).expect("they go on");
            assert_eq!(line, ".\n", "a viewer failed");
        }
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

/// Counts what everybody has got.
struct Counts {
    /// How many viewers have got at least so many frames, by that number.
    reached: Vec<usize>,
    viewers: usize,
}

/// An event that may be watched.
pub(crate) fn event(number: u64) -> String {
    format!("rally{number}")
}

/// Connects so many viewers, and says each time when all of them have got one more frame.
pub(crate) fn watch(address: SocketAddr, viewers: usize, events: u64) {
    crate::measure::raise_descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let counts = Rc::new(RefCell::new(Counts { reached: Vec::new(), viewers }));
    local.block_on(&runtime, async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..viewers {
            let stream = connect(address, number, events).await;
            tasks.spawn_local(read(stream, Rc::clone(&counts)));
        }
        tasks.join_next().await.expect("there are viewers").expect("a viewer reads for ever");
    });
}

async fn connect(address: SocketAddr, number: usize, events: u64) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it connects");
    let head = format!(
        "GET /live HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Cookie: session={number}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("it is read");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    for number in 0..events {
        let subscribe = format!(r#"{{"type":"subscribe","topic":"event:{}"}}"#, event(number));
        let mut frame = vec![0x81, 0x80 | u8::try_from(subscribe.len()).expect("short"), 0, 0, 0, 0];
        frame.extend_from_slice(subscribe.as_bytes());
        stream.write_all(&frame).await.expect("it is read");
    }
    stream
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

async fn read(stream: TcpStream, counts: Rc<RefCell<Counts>>) {
    let mut frames = Frames::default();
    let mut got = 0;
    loop {
        stream.readable().await.expect("the server runs");
        let more = BUFFER.with_borrow_mut(|buffer| match stream.try_read(buffer) {
            Ok(0) => panic!("the server closed"),
            Ok(length) => frames.end_in(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(error) => panic!("{error}"),
        });
        for _ in 0..more {
            counts.borrow_mut().count(got);
            got += 1;
        }
    }
}

impl Counts {
    fn count(&mut self, frame: usize) {
        if self.reached.len() == frame {
            self.reached.push(0);
        }
        self.reached[frame] += 1;
        if self.reached[frame] == self.viewers {
            let mut out = std::io::stdout().lock();
            out.write_all(b".\n").and_then(|()| out.flush()).expect("somebody counts");
        }
    }
}

/// Finds where frames of text end in what is read piece by piece.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    payload_left: usize,
    text: bool,
}

impl Frames {
    fn end_in(&mut self, mut bytes: &[u8]) -> usize {
        let mut ended = 0;
        while !bytes.is_empty() {
            if self.payload_left == 0 {
                self.header.push(bytes[0]);
                bytes = &bytes[1..];
                let Some(length) = length_of(&self.header) else { continue };
                self.text = self.header[0] & 15 == 1;
                self.header.clear();
                self.payload_left = length;
            }
            let taken = self.payload_left.min(bytes.len());
            self.payload_left -= taken;
            bytes = &bytes[taken..];
            ended += usize::from(self.text && self.payload_left == 0);
        }
        ended
    }
}

/// The length of the payload, when the header is whole.
fn length_of(header: &[u8]) -> Option<usize> {
    let (short, long) = (usize::from(*header.get(1)?), &header[2..]);
    let bytes = match short {
        126 => 2,
        127 => 8,
        _ => return Some(short),
    };
    (long.len() == bytes).then(|| long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}
