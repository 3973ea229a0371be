//! Whatever a client sends, it gets the answers and the close that are promised for it, and nothing else.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use proptest::prelude::*;
use tokio::io::DuplexStream;
use tokio_websockets::{ClientBuilder, Limits, Message, WebSocketStream};

use super::*;
use crate::fuzzing;

#[derive(Debug, Clone)]
enum Said {
    Text(String),
    Bytes(Vec<u8>),
    Ping,
}

impl Said {
    fn message(&self) -> Message {
        match self {
            Self::Text(text) => Message::text(text.clone()),
            Self::Bytes(bytes) => Message::binary(bytes.clone()),
            Self::Ping => Message::ping("?"),
        }
    }
}

/// What has to come of it: so many answers, and the code of the close if there is one.
fn promised(said: &[Said]) -> (usize, Option<u16>) {
    let (mut answers, mut mistakes) = (0, 0);
    for said in said {
        match said {
            Said::Ping => {}
            Said::Bytes(_) => return (answers, Some(4400)),
            Said::Text(text) if text.len() > LARGEST_MESSAGE => return (answers, Some(4400)),
            Said::Text(text) => {
                mistakes += usize::from(read(text).is_err());
                if mistakes > MISTAKES {
                    return (answers, Some(4400));
                }
                answers += 1;
            }
        }
    }
    (answers, None)
}

/// Says it all, and hears until nothing comes any more, or the socket is closed.
async fn heard(said: &[Said]) -> (Vec<serde_json::Value>, Option<u16>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let serving = tokio::spawn(fuzzing::serve(theirs));
    let mut client: WebSocketStream<DuplexStream> =
        ClientBuilder::new().limits(Limits::unlimited()).take_over(ours);
    for said in said {
        if client.send(said.message()).await.is_err() {
            break;
        }
    }
    let (mut heard, mut closed) = (Vec::new(), None);
    while closed.is_none() {
        // Time passes only while everybody waits.
        let next = tokio::time::timeout(Duration::from_secs(5), client.next()).await;
        let Ok(Some(Ok(message))) = next else { break };
        if let Some(text) = message.as_text() {
            heard.push(serde_json::from_str(text).expect("it is JSON"));
        }
        closed = message.as_close().map(|(code, _)| code.into());
    }
    drop(client);
    serving.await.expect("it does not panic");
    (heard, closed)
}

/// Messages, and what is nearly one.
fn said() -> impl Strategy<Value = Said> {
    let value = prop_oneof![
        Just(r#""subscribe""#.to_owned()),
        Just(r#""unsubscribe""#.to_owned()),
        Just(r#""ping""#.to_owned()),
        Just(r#""event:1""#.to_owned()),
        Just(r#""event:secret""#.to_owned()),
        Just(r#"{"epoch":"0123456789abcdef","seq":1}"#.to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::Value::String(text).to_string()),
        (0_usize..200).prop_map(|depth| "[".repeat(depth)),
    ];
    let name = prop_oneof![3 => Just("type"), 3 => Just("topic"), 1 => Just("uid"), 1 => Just("since"), 1 => Just("x")];
    let member = (name, value).prop_map(|(name, value)| format!(r#""{name}":{value}"#));
    let nearly = prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
    let right = prop_oneof![
        Just(r#"{"type":"ping","uid":"1"}"#),
        Just(r#"{"type":"subscribe","topic":"event:1"}"#),
        Just(r#"{"type":"subscribe","topic":"event:secret"}"#),
        Just(r#"{"type":"unsubscribe","topic":"event:1"}"#),
    ];
    prop_oneof![
        8 => right.prop_map(|text| Said::Text(text.to_owned())),
        4 => nearly.prop_map(Said::Text),
        2 => any::<String>().prop_map(Said::Text),
        1 => (LARGEST_MESSAGE - 2..LARGEST_MESSAGE + 3).prop_map(|length| Said::Text(" ".repeat(length))),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Said::Bytes),
        2 => Just(Said::Ping),
    ]
}

proptest! {
    #[test]
    fn is_said_is_answered_as_promised(said in prop::collection::vec(said(), 0..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let (answers, code) = promised(&said);
        let (heard, closed) = runtime.expect("a runtime").block_on(heard(&said));
        prop_assert_eq!(closed, code, "{:?}", heard);
        // What was still being found out is not answered by a socket that is closed.
        prop_assert!(heard.len() == answers || (code.is_some() && heard.len() < answers), "{} of {}", heard.len(), answers);
        let kinds = ["subscribed", "unsubscribed", "pong", "error"];
        prop_assert!(heard.iter().all(|answer| kinds.iter().any(|kind| answer["type"] == *kind)), "{:?}", heard);
    }
}
