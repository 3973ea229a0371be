//! What a viewer is told, as text.

use bytes::Bytes;
use processor_live::{Denial, ServerMessage, TopicName, Uid};

use super::client::Unreadable;
use super::json::Json;

/// What is left of a message without the snapshot, for nearly every one.
const ROOM: usize = 320;

/// The text of a message. Of positions it is what the encoder made, shared and not copied.
pub(crate) fn text_of(message: ServerMessage) -> Bytes {
    match message {
        ServerMessage::Positions(text) => text,
        ServerMessage::Subscribed { topic, uid, epoch, seq, recovered, snapshot, snapshot_complete } => {
            let mut json = Json::with_room(ROOM + snapshot.len());
            json.raw(r#"{"type":"subscribed","topic":"#).string(topic.as_str());
            push_uid(&mut json, uid.as_ref());
            json.raw(r#","epoch":"#).string(&epoch.to_string());
            json.raw(r#","seq":"#).whole(seq);
            json.raw(r#","recovered":"#).bool(recovered);
            // It comes from the encoder, whose text is JSON.
            json.raw(r#","snapshot":"#).raw(std::str::from_utf8(&snapshot).unwrap_or("[]"));
            json.raw(r#","snapshot_complete":"#).bool(snapshot_complete).raw("}").take()
        }
        ServerMessage::Unsubscribed { topic, uid } => {
            let mut json = Json::with_room(ROOM);
            json.raw(r#"{"type":"unsubscribed","topic":"#).string(topic.as_str());
            push_uid(&mut json, uid.as_ref());
            json.raw("}").take()
        }
        ServerMessage::Pong { uid } => {
            let mut json = Json::with_room(ROOM);
            json.raw(r#"{"type":"pong""#);
            push_uid(&mut json, uid.as_ref());
            json.raw("}").take()
        }
        ServerMessage::Error { topic, uid, denial } => denied(&topic, uid.as_ref(), denial),
    }
}

fn denied(topic: &TopicName, uid: Option<&Uid>, denial: Denial) -> Bytes {
    let mut json = Json::with_room(ROOM);
    json.raw(r#"{"type":"error""#);
    push_uid(&mut json, uid);
    json.raw(r#","topic":"#).string(topic.as_str());
    push_error(&mut json, denial.code(), denial.message(), denial.temporary()).take()
}

/// The answer to a message that was not understood.
pub(crate) fn not_understood(unreadable: &Unreadable) -> Bytes {
    let mut json = Json::with_room(ROOM);
    json.raw(r#"{"type":"error""#);
    push_uid(&mut json, unreadable.uid.as_ref());
    if let Some(topic) = &unreadable.topic {
        json.raw(r#","topic":"#).string(topic.as_str());
    }
    push_error(&mut json, "bad_message", unreadable.why, false).take()
}

fn push_uid(json: &mut Json, uid: Option<&Uid>) {
    if let Some(uid) = uid {
        json.raw(r#","uid":"#).string(uid.as_str());
    }
}

/// The last member of a message, and its end.
fn push_error<'a>(json: &'a mut Json, code: &str, message: &str, temporary: bool) -> &'a mut Json {
    json.raw(r#","error":{"code":"#).string(code);
    json.raw(r#","message":"#).string(message);
    json.raw(r#","temporary":"#).bool(temporary).raw("}}")
}
