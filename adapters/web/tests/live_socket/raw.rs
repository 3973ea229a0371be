//! HTTP and WebSocket by the byte, for what no decent client does.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// However long a test takes, an answer that does not come within this time does not come.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// The code of a problem, which says the same as the status.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.head);
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// The head of a request for a socket, with other lines in place of those of the same name, and without those that
/// are empty.
pub(crate) fn handshake(changes: &[&str]) -> String {
    let usual = [
        "Host: map.example.org",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Origin: https://map.example.org",
        "Cookie: session=ann",
    ];
    let name = |line: &str| line.split(':').next().unwrap().to_ascii_lowercase();
    let kept = usual.iter().filter(|line| !changes.iter().any(|change| name(change) == name(line)));
    let other = changes.iter().filter(|change| !change.ends_with(": "));
    let lines: Vec<_> = kept.chain(other).copied().collect();
    format!("GET /live HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n"))
}

/// Sends a request and reads the answer.
pub(crate) async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(&mut stream).await
}

/// Reads the answer to a request that was sent.
pub(crate) async fn answer(stream: &mut TcpStream) -> Answer {
    let mut head = Vec::new();
    let reading = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
    };
    tokio::time::timeout(LONG, reading).await.expect("the server answers");
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: String::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    answer.body = String::from_utf8(body).unwrap();
    answer
}

/// A socket that is open, of a client that does nothing by itself.
pub(crate) async fn open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(handshake(&[]).as_bytes()).await.unwrap();
    let answer = answer(&mut stream).await;
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    stream
}

/// A frame of a client that fits into 125 bytes, under a mask that changes nothing.
pub(crate) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// Everything that comes until the connection ends.
pub(crate) async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        // Whether it ends well or is cut off is the same here.
        drop(stream.read_to_end(&mut bytes).await);
    };
    tokio::time::timeout(LONG, reading).await.expect("the server ends the connection");
    bytes
}
