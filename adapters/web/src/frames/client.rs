//! What a viewer says, read from text.

use processor_live::{ClientMessage, Epoch, Since, TopicName, Uid};
use serde_json::{Map, Value};

/// A text that is no message, and what of it can be repeated in the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) uid: Option<Uid>,
    pub(crate) topic: Option<TopicName>,
    /// What is wrong with it, for whoever wrote the client.
    pub(crate) why: &'static str,
}

type Members = Map<String, Value>;

/// Reads one message. Members that are not known are passed over: they are how the wire grows.
pub(crate) fn read(text: &str) -> Result<ClientMessage, Unreadable> {
    let Ok(value) = serde_json::from_str(text) else { return Err(Unreadable::because("it is not JSON")) };
    let Value::Object(members) = value else { return Err(Unreadable::because("it is not an object")) };
    message_of(&members).map_err(|why| Unreadable {
        uid: uid_of(&members).ok().flatten(),
        topic: topic_of(&members).ok(),
        why,
    })
}

impl Unreadable {
    const fn because(why: &'static str) -> Self {
        Self { uid: None, topic: None, why }
    }
}

fn message_of(members: &Members) -> Result<ClientMessage, &'static str> {
    let uid = uid_of(members)?;
    match members.get("type").and_then(Value::as_str) {
        Some("subscribe") => {
            Ok(ClientMessage::Subscribe { topic: topic_of(members)?, uid, since: since_of(members)? })
        }
        Some("unsubscribe") => Ok(ClientMessage::Unsubscribe { topic: topic_of(members)?, uid }),
        Some("ping") => Ok(ClientMessage::Ping { uid }),
        Some(_) => Err("its type is none of subscribe, unsubscribe, ping"),
        None => Err("it has no type"),
    }
}

fn uid_of(members: &Members) -> Result<Option<Uid>, &'static str> {
    match members.get("uid") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Uid::new(text).map(Some).map_err(|_| "its uid is longer than 128 bytes"),
        Some(_) => Err("its uid is not text"),
    }
}

fn topic_of(members: &Members) -> Result<TopicName, &'static str> {
    match members.get("topic") {
        Some(Value::String(text)) => {
            TopicName::new(text).map_err(|_| "the name of its topic is longer than 128 bytes")
        }
        Some(_) => Err("the name of its topic is not text"),
        None => Err("it has no topic"),
    }
}

/// An epoch that is nobody's is one that is over: whoever has it begins with a whole picture.
fn since_of(members: &Members) -> Result<Option<Since>, &'static str> {
    const SHAPE: &str = r#"its since is not {"epoch": text, "seq": whole number}"#;
    let since = match members.get("since") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(since)) => since,
        Some(_) => return Err(SHAPE),
    };
    let epoch = since.get("epoch").and_then(Value::as_str).ok_or(SHAPE)?;
    let seq = since.get("seq").and_then(Value::as_u64).ok_or(SHAPE)?;
    Ok(Epoch::parse(epoch).map(|epoch| Since { epoch, seq }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::golden::text_in;
    use crate::frames::not_understood;
    use proptest::prelude::*;

    fn topic(text: &str) -> TopicName {
        TopicName::new(text).unwrap()
    }

    #[test]
    fn reads_what_a_viewer_says() {
        let uid = Some(Uid::new("1").unwrap());
        let since = Some(Since { epoch: Epoch::parse("0123456789abcdef").unwrap(), seq: 41 });
        let cases = [
            (
                r#"{"type":"subscribe","topic":"event:42","uid":"1","since":{"epoch":"0123456789abcdef","seq":41}}"#,
                ClientMessage::Subscribe { topic: topic("event:42"), uid: uid.clone(), since },
            ),
            (
                r#"{"since":{"epoch":"an older program's","seq":41},"topic":"event:42","type":"subscribe"}"#,
                ClientMessage::Subscribe { topic: topic("event:42"), uid: None, since: None },
            ),
            (
                r#"{"type":"unsubscribe","topic":"event:42","uid":"1","later":[1,2,3]}"#,
                ClientMessage::Unsubscribe { topic: topic("event:42"), uid: uid.clone() },
            ),
            (r#" {"type":"ping","uid":"1"} "#, ClientMessage::Ping { uid }),
            (r#"{"type":"ping","uid":null}"#, ClientMessage::Ping { uid: None }),
        ];
        for (text, message) in cases {
            assert_eq!(read(text), Ok(message), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_to_which_message_it_belongs() {
        let long = "x".repeat(129);
        let cases = [
            ("", "it is not JSON"),
            ("{", "it is not JSON"),
            (r#"{"type":"ping"} x"#, "it is not JSON"),
            (r#"["ping"]"#, "it is not an object"),
            ("{}", "it has no type"),
            (r#"{"type":1}"#, "it has no type"),
            (r#"{"type":"Ping"}"#, "its type is none of subscribe, unsubscribe, ping"),
            (r#"{"type":"ping","uid":1}"#, "its uid is not text"),
            (&format!(r#"{{"type":"ping","uid":"{long}"}}"#), "its uid is longer than 128 bytes"),
            (r#"{"type":"subscribe"}"#, "it has no topic"),
            (r#"{"type":"unsubscribe","topic":42}"#, "the name of its topic is not text"),
            (
                &format!(r#"{{"type":"subscribe","topic":"{long}"}}"#),
                "the name of its topic is longer than 128 bytes",
            ),
            (
                r#"{"type":"subscribe","topic":"event:1","since":{"epoch":"0123456789abcdef","seq":-1}}"#,
                r#"its since is not {"epoch": text, "seq": whole number}"#,
            ),
            (
                r#"{"type":"subscribe","topic":"event:1","since":41}"#,
                r#"its since is not {"epoch": text, "seq": whole number}"#,
            ),
        ];
        for (text, why) in cases {
            assert_eq!(read(text).unwrap_err().why, why, "{text}");
        }
        let unreadable = read(r#"{"type":"view","topic":"event:1","uid":"7"}"#).unwrap_err();
        assert_eq!(
            text_in(&not_understood(&unreadable)),
            br#"{"type":"error","uid":"7","topic":"event:1","error":{"code":"bad_message","message":"its type is none of subscribe, unsubscribe, ping","temporary":false}}"#
        );
    }

    /// Text that is nearly a message, so that more than the first check is met.
    fn nearly() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            Just(r#""subscribe""#.to_owned()),
            Just(r#""event:1""#.to_owned()),
            Just(r#"{"epoch":"0123456789abcdef","seq":1}"#.to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| Value::String(text).to_string()),
            (0_usize..200).prop_map(|depth| "[".repeat(depth)),
        ];
        let name = prop_oneof![Just("type"), Just("topic"), Just("uid"), Just("since"), Just("x")];
        let member = (name, value).prop_map(|(name, value)| format!(r#""{name}":{value}"#));
        prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
    }

    proptest! {
        #[test]
        fn no_text_panics_and_whatever_is_wrong_can_be_answered(text in prop_oneof![any::<String>(), nearly()]) {
            if let Err(unreadable) = read(&text) {
                let answer = not_understood(&unreadable);
                prop_assert!(serde_json::from_slice::<Value>(text_in(&answer)).is_ok(), "{:?}", answer);
            }
        }
    }
}
