//! A viewer with a client that does everything right.

use futures::{SinkExt, StreamExt};
use poem::http::{HeaderName, HeaderValue, Uri};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Limits, Message, WebSocketStream};

use crate::raw::LONG;
use crate::scene::{RALLY, Scene};

pub(crate) struct Viewer {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

/// The code and the reason of a close.
pub(crate) type Closed = (u16, String);

impl Viewer {
    /// Connected with this cookie, from a page of the server's own.
    pub(crate) async fn of(scene: &Scene, session: &str) -> Self {
        let stream = TcpStream::connect(scene.address).await.unwrap();
        let host = scene.address;
        let field = |name: &'static str, text: String| {
            (HeaderName::from_static(name), HeaderValue::try_from(text).unwrap())
        };
        let mut builder = ClientBuilder::from_uri(format!("ws://{host}/live").parse::<Uri>().unwrap())
            .limits(Limits::unlimited());
        for (name, value) in
            [field("origin", format!("http://{host}")), field("cookie", format!("session={session}"))]
        {
            builder = builder.add_header(name, value).unwrap();
        }
        let (socket, _) = builder.connect_on(stream).await.expect("it is let in");
        Self { socket }
    }

    /// Connected, subscribed and told of the beginning.
    pub(crate) async fn watching(scene: &Scene, session: &str) -> (Self, Value) {
        let mut viewer = Self::of(scene, session).await;
        viewer.say(&json!({"type": "subscribe", "topic": format!("event:{RALLY}"), "uid": "1"})).await;
        let subscribed = viewer.hear().await;
        assert_eq!(subscribed["type"], "subscribed");
        (viewer, subscribed)
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message of any kind; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(LONG, self.socket.next()).await;
        next.expect("something comes").and_then(Result::ok)
    }

    /// The next message that is JSON.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let message = self.next().await.expect("the socket is open");
            if let Some(text) = message.as_text() {
                return serde_json::from_str(text).unwrap();
            }
            assert!(!message.is_close(), "{:?}", message.as_close());
        }
    }

    /// Reads until it is closed.
    pub(crate) async fn closed(&mut self) -> Closed {
        loop {
            let message = self.next().await.expect("it is closed with a code");
            if let Some((code, reason)) = message.as_close() {
                return (code.into(), reason.to_owned());
            }
        }
    }
}
