use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest head of an answer, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Asks `address` for `path` and returns the status and the body. Ten seconds are enough for any answer here.
pub(crate) async fn get(address: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = ask(address, &request, Duration::from_secs(10)).await?;
    Ok((answer.status, answer.body))
}

/// Sends a request to `address`, on a connection of its own, and returns the answer.
pub(crate) async fn ask(address: &str, request: &str, limit: Duration) -> anyhow::Result<Answer> {
    let exchange = async {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(request.as_bytes()).await?;
        read(&mut connection).await
    };
    timeout(limit, exchange).await.with_context(|| format!("no answer in {limit:?}"))?
}

/// The answer to a request that was sent, and nothing of what comes after it.
pub(crate) async fn read(connection: &mut TcpStream) -> anyhow::Result<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        anyhow::ensure!(head.len() < HEAD_LIMIT, "the answer is not HTTP");
        head.push(connection.read_u8().await.context("the connection ended before the answer")?);
    }
    let head = String::from_utf8(head).context("the answer is not text")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
    let mut answer = Answer { status, head, body: String::new() };
    let length = answer.header("content-length").map(str::parse).transpose()?;
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            connection.read_exact(&mut body).await?;
        }
        None if status < 200 || status == 204 => {}
        None => {
            connection.read_to_end(&mut body).await?;
        }
    }
    answer.body = String::from_utf8(body).context("the body is not text")?;
    Ok(answer)
}
