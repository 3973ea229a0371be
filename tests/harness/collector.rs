mod span;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use self::span::{SpanSeen, draw};
use crate::eventually;

/// A collector of traces: it takes exports over OTLP/HTTP and keeps what was in them.
///
/// It ends when it is dropped.
#[derive(Debug)]
pub struct Collector {
    url: String,
    inbox: Arc<Mutex<Vec<Export>>>,
    server: JoinHandle<()>,
}

/// One export as it was sent.
#[derive(Debug)]
struct Export {
    /// The request line and the headers.
    head: String,
    body: Vec<u8>,
}

/// What it does with an export that it has read.
#[derive(Debug, Clone, Copy)]
enum Manners {
    Answer,
    /// The worst that there is: the connection stands, and no answer ever comes.
    KeepSilent,
}

impl Collector {
    /// One that takes what it is sent.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(Manners::Answer).await
    }

    /// One that takes every connection and never answers.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn silent() -> anyhow::Result<Self> {
        Self::with(Manners::KeepSilent).await
    }

    async fn with(manners: Manners) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let inbox = Arc::<Mutex<Vec<Export>>>::default();
        let kept = Arc::clone(&inbox);
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, Arc::clone(&kept), manners));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, inbox, server })
    }

    /// Where it is: `http://host:port`, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many exports it was sent.
    #[must_use]
    pub fn exports(&self) -> usize {
        self.inbox().len()
    }

    /// The request line and the headers of every export.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.inbox().iter().map(|export| export.head.clone()).collect()
    }

    /// Every span that it was sent, in the order of their beginnings.
    ///
    /// # Errors
    /// If an export is not what it should be.
    pub fn spans(&self) -> anyhow::Result<Vec<SpanSeen>> {
        let mut spans = Vec::new();
        for export in &*self.inbox() {
            let request = ExportTraceServiceRequest::decode(&*export.body).context("no export of traces")?;
            spans.extend(span::spans_of(request));
        }
        spans.sort_by_key(|span| span.began);
        Ok(spans)
    }

    /// Waits until there are spans that are `enough`, and returns all.
    ///
    /// # Panics
    /// If they do not come within `limit`.
    pub async fn until(&self, limit: Duration, enough: impl Fn(&[SpanSeen]) -> bool) -> Vec<SpanSeen> {
        eventually(limit, "the collector has the spans", async || {
            let spans = self.spans()?;
            if enough(&spans) { Ok(spans) } else { Err(anyhow::anyhow!("{spans:?}")) }
        })
        .await
    }

    /// Whether `text` occurs in anything that was exported; the headers are apart from that.
    #[must_use]
    pub fn was_told(&self, text: &str) -> bool {
        let holds = |body: &[u8]| body.windows(text.len()).any(|window| window == text.as_bytes());
        self.inbox().iter().any(|export| holds(&export.body))
    }

    fn inbox(&self) -> MutexGuard<'_, Vec<Export>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(connection: TcpStream, inbox: Arc<Mutex<Vec<Export>>>, manners: Manners) {
    let mut connection = BufReader::new(connection);
    while let Some(export) = read(&mut connection).await {
        inbox.lock().unwrap_or_else(PoisonError::into_inner).push(export);
        if matches!(manners, Manners::KeepSilent) {
            std::future::pending::<()>().await;
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request; none if the connection has ended.
async fn read(connection: &mut BufReader<TcpStream>) -> Option<Export> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let begin = head.len();
        if connection.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
        let line = head[begin..].trim_end().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    Some(Export { head, body })
}
