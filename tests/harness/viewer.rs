use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::{SinkExt, StreamExt};
use processor_domain::DeviceId;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_websockets::{ClientBuilder, Limits, Message, WebSocketStream};

use crate::http;

mod pace;
mod picture;

pub use picture::{Picture, Whereabouts};

/// How long an answer may take to what is answered at once.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Somebody at the door of the live socket.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: String,
    headers: Vec<String>,
    receive_buffer: Option<u32>,
}

/// The answer to somebody who is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The code of the problem.
    pub code: String,
    /// When to come again, in seconds.
    pub retry_after: Option<u64>,
}

/// Somebody who watches, with a client that does everything right and believes nothing.
///
/// With every frame it is checked that none is missing before it, and that no car moves back in time; what is not
/// so is an error of the method that read the frame.
pub struct Viewer {
    socket: WebSocketStream<TcpStream>,
    pictures: BTreeMap<String, Picture>,
    messages: u64,
}

/// What came out of a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A message, which is taken in already.
    Message(Value),
    /// The socket was closed, with this code and reason.
    Closed(u16, String),
    /// The connection ended without a close.
    Lost,
}

impl Visitor {
    /// Somebody at `address` (`host:port`), with a page that comes from there and without a cookie.
    #[must_use]
    pub fn at(address: &str) -> Self {
        let visitor = Self { address: address.to_owned(), headers: Vec::new(), receive_buffer: None };
        visitor.header("Origin", &format!("http://{address}"))
    }

    /// With this session.
    #[must_use]
    pub fn with_session(self, session: &str) -> Self {
        self.header("Cookie", &format!("directus_session_token={session}"))
    }

    /// With a page that comes from there.
    #[must_use]
    pub fn from_page_of(self, origin: &str) -> Self {
        self.without("Origin").header("Origin", origin)
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}\r\n"));
        self
    }

    /// Without this header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|header| !header.starts_with(name));
        self
    }

    /// Whose system keeps no more than about so many bytes of what has not been read.
    #[must_use]
    pub const fn with_receive_buffer(mut self, bytes: u32) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Asks to be let in.
    ///
    /// # Errors
    /// If there is no answer, or one that says neither yes nor no.
    pub async fn knock(&self) -> anyhow::Result<Result<Viewer, Refusal>> {
        let answering = async {
            let socket = TcpSocket::new_v4()?;
            if let Some(bytes) = self.receive_buffer {
                socket.set_recv_buffer_size(bytes)?;
            }
            let mut stream = socket.connect(self.address.parse()?).await?;
            stream.set_nodelay(true)?;
            let (address, headers) = (&self.address, self.headers.concat());
            let request = format!(
                "GET /live HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
            );
            stream.write_all(request.as_bytes()).await?;
            let answer = http::read(&mut stream).await?;
            anyhow::Ok((stream, answer))
        };
        let (stream, answer) = timeout(AT_ONCE, answering).await.context("nobody answers the door")??;
        if answer.status == 101 {
            let socket = ClientBuilder::new().limits(Limits::unlimited()).take_over(stream);
            return Ok(Ok(Viewer { socket, pictures: BTreeMap::new(), messages: 0 }));
        }
        let retry_after = answer.header("retry-after").map(str::parse).transpose()?;
        let problem: Value = serde_json::from_str(&answer.body)
            .with_context(|| format!("{} without a problem: {}", answer.status, answer.body))?;
        let code = picture::text(&problem, "code")?.to_owned();
        Ok(Err(Refusal { status: answer.status, code, retry_after }))
    }

    /// Is let in.
    ///
    /// # Errors
    /// If not.
    pub async fn enter(&self) -> anyhow::Result<Viewer> {
        match self.knock().await? {
            Ok(viewer) => Ok(viewer),
            Err(refusal) => bail!("not let in: {refusal:?}"),
        }
    }

    /// Is let in, and watches these events.
    ///
    /// # Errors
    /// If not.
    pub async fn watch(&self, events: &[&str]) -> anyhow::Result<Viewer> {
        let mut viewer = self.enter().await?;
        for event in events {
            viewer.subscribe(event).await?;
        }
        Ok(viewer)
    }
}

impl Viewer {
    /// Begins to watch an event.
    ///
    /// # Errors
    /// If it may not.
    pub async fn subscribe(&mut self, event: &str) -> anyhow::Result<()> {
        let answer = self.ask(json!({"type": "subscribe", "topic": topic(event)})).await?;
        anyhow::ensure!(answer["type"] == "subscribed", "not subscribed: {answer}");
        Ok(())
    }

    /// Goes on watching an event, which was watched on another connection: see [`Self::remember`].
    ///
    /// # Errors
    /// If it may not, or has not watched it.
    pub async fn resume(&mut self, event: &str) -> anyhow::Result<()> {
        let known = self.picture(event)?;
        let since = json!({"epoch": known.epoch(), "seq": known.seq()});
        let message = json!({"type": "subscribe", "topic": topic(event), "since": since});
        let answer = self.ask(message).await?;
        anyhow::ensure!(answer["type"] == "subscribed", "not subscribed: {answer}");
        Ok(())
    }

    /// Takes over what another viewer knows, who is gone: the same client, connected anew.
    #[must_use]
    pub fn remember(self, gone: Self) -> Self {
        Self { pictures: gone.pictures, messages: gone.messages, ..self }
    }

    /// Says something and returns the answer; what else comes before it is taken in.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn ask(&mut self, mut message: Value) -> anyhow::Result<Value> {
        self.messages += 1;
        let uid = self.messages.to_string();
        message["uid"] = json!(uid);
        self.say(&message.to_string()).await?;
        let end = Instant::now() + AT_ONCE;
        loop {
            match self.hear_until(end).await.with_context(|| format!("no answer to {message}"))? {
                Heard::Message(answer) if answer["uid"] == *uid => return Ok(answer),
                Heard::Message(_) => {}
                other => bail!("{other:?} in place of an answer to {message}"),
            }
        }
    }

    /// Sends text, whatever it is.
    ///
    /// # Errors
    /// If the socket does not take it.
    pub async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(text.to_owned())).await?)
    }

    /// Sends bytes, which is not what viewers send.
    ///
    /// # Errors
    /// If the socket does not take it.
    pub async fn say_bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::binary(bytes.to_vec())).await?)
    }

    /// What comes next; it is taken in.
    ///
    /// # Errors
    /// If nothing comes within `limit`, or it is against the promises.
    pub async fn hear(&mut self, limit: Duration) -> anyhow::Result<Heard> {
        self.hear_until(Instant::now() + limit).await
    }

    async fn hear_until(&mut self, end: Instant) -> anyhow::Result<Heard> {
        loop {
            let next = timeout_at(end, self.socket.next()).await.context("nothing comes")?;
            let Some(Ok(message)) = next else { return Ok(Heard::Lost) };
            if let Some((code, reason)) = message.as_close() {
                return Ok(Heard::Closed(code.into(), reason.to_owned()));
            }
            let Some(text) = message.as_text() else { continue };
            let message: Value = serde_json::from_str(text).with_context(|| text.to_owned())?;
            self.take(&message)?;
            return Ok(Heard::Message(message));
        }
    }

    fn take(&mut self, message: &Value) -> anyhow::Result<()> {
        let kind = picture::text(message, "type")?;
        if kind != "subscribed" && kind != "positions" {
            return Ok(());
        }
        let topic = picture::text(message, "topic")?;
        let event = topic.strip_prefix("event:").context("a topic that is no event")?;
        if kind == "subscribed" {
            return self.pictures.entry(event.to_owned()).or_default().begin(message);
        }
        let picture = self.pictures.get_mut(event);
        picture.with_context(|| format!("positions of {event}, which is not watched"))?.take(message)
    }

    /// Listens until it is so.
    ///
    /// # Errors
    /// If it is not within `limit`, what comes is against the promises, or the socket ends.
    pub async fn until(
        &mut self,
        limit: Duration,
        what: &str,
        mut so: impl FnMut(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + limit;
        while !so(self) {
            match self.hear_until(end).await.with_context(|| format!("not within {limit:?}: {what}"))? {
                Heard::Message(_) => {}
                other => bail!("{other:?} before {what}"),
            }
        }
        Ok(())
    }

    /// Listens for as long as the story takes, and returns what it tells.
    ///
    /// # Errors
    /// That of the story; if nothing comes for longer than `pause`, what comes is against the promises, or the socket
    /// ends.
    pub async fn listen_during<T>(
        &mut self,
        pause: Duration,
        story: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let listening = async {
            loop {
                match self.hear(pause).await? {
                    Heard::Message(_) => {}
                    other => bail!("{other:?} before the story ended"),
                }
            }
        };
        tokio::select! {
            told = story => told,
            ended = listening => ended,
        }
    }

    /// Listens until the cars of an event are exactly there.
    ///
    /// # Errors
    /// If they are not within `limit`, with the first that is elsewhere; as [`Self::until`] otherwise.
    pub async fn until_cars_are(
        &mut self,
        limit: Duration,
        event: &str,
        cars: &BTreeMap<DeviceId, Whereabouts>,
    ) -> anyhow::Result<()> {
        let there = |viewer: &Self| viewer.picture(event).is_ok_and(|picture| picture.cars() == cars);
        let listened = self.until(limit, "the cars are where they should be", there).await;
        listened.with_context(|| match self.picture(event) {
            Ok(picture) => difference(picture.cars(), cars),
            Err(error) => error.to_string(),
        })
    }

    /// Listens until the socket is closed.
    ///
    /// # Errors
    /// If it is not within `limit`, or ends without a close.
    pub async fn closed(&mut self, limit: Duration) -> anyhow::Result<(u16, String)> {
        let end = Instant::now() + limit;
        loop {
            match self.hear_until(end).await.context("it is not closed")? {
                Heard::Message(_) => {}
                Heard::Closed(code, reason) => return Ok((code, reason)),
                Heard::Lost => bail!("the connection ended without a close"),
            }
        }
    }

    /// What it knows of an event.
    ///
    /// # Errors
    /// If it never watched it.
    pub fn picture(&self, event: &str) -> anyhow::Result<&Picture> {
        self.pictures.get(event).with_context(|| format!("{event} is not watched"))
    }
}

impl fmt::Debug for Viewer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Viewer").field("pictures", &self.pictures).finish_non_exhaustive()
    }
}

fn topic(event: &str) -> String {
    format!("event:{event}")
}

/// How many cars are elsewhere, and the first of them.
fn difference(seen: &BTreeMap<DeviceId, Whereabouts>, expected: &BTreeMap<DeviceId, Whereabouts>) -> String {
    let devices = seen.keys().chain(expected.keys().filter(|device| !seen.contains_key(*device)));
    let different: Vec<_> = devices.filter(|device| seen.get(*device) != expected.get(*device)).collect();
    match different.first() {
        Some(device) => format!(
            "{} of {} cars are elsewhere; {device} is seen at {:?} and should be at {:?}",
            different.len(),
            expected.len(),
            seen.get(*device),
            expected.get(*device)
        ),
        None => "all cars are there".to_owned(),
    }
}

#[cfg(test)]
mod tests;
