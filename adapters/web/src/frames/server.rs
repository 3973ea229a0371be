//! What a viewer is told, as frames of text.

use bytes::Bytes;
use processor_live::{Denial, ServerMessage, TopicName, Uid};

use super::client::Unreadable;
use crate::text::Text;

/// What is left of a message without the snapshot, for nearly every one.
const ROOM: usize = 320;

/// Hands out a message in parts that are to be written one after another: one frame of WebSocket. What the encoder
/// made is shared and not copied.
pub(crate) fn parts_of(message: ServerMessage, mut part: impl FnMut(Bytes)) {
    match message {
        ServerMessage::Positions(frame) => part(frame),
        ServerMessage::Subscribed { topic, uid, epoch, seq, recovered, snapshot, snapshot_complete } => {
            let mut json = Text::with_room(ROOM);
            json.raw(r#"{"type":"subscribed","topic":"#).string(topic.as_str());
            push_uid(&mut json, uid.as_ref());
            json.raw(r#","epoch":"#).string(&epoch.to_string());
            json.raw(r#","seq":"#).whole(seq);
            json.raw(r#","recovered":"#).bool(recovered).raw(r#","snapshot":"#);
            let end: &[u8] = if snapshot_complete {
                br#","snapshot_complete":true}"#
            } else {
                br#","snapshot_complete":false}"#
            };
            part(json.into_start_of_frame(snapshot.len() + end.len()));
            part(snapshot);
            part(Bytes::from_static(end));
        }
        ServerMessage::Unsubscribed { topic, uid } => {
            let mut json = Text::with_room(ROOM);
            json.raw(r#"{"type":"unsubscribed","topic":"#).string(topic.as_str());
            push_uid(&mut json, uid.as_ref());
            json.raw("}");
            part(json.into_frame());
        }
        ServerMessage::Pong { uid } => {
            let mut json = Text::with_room(ROOM);
            json.raw(r#"{"type":"pong""#);
            push_uid(&mut json, uid.as_ref());
            json.raw("}");
            part(json.into_frame());
        }
        ServerMessage::Error { topic, uid, denial } => part(denied(&topic, uid.as_ref(), denial)),
    }
}

fn denied(topic: &TopicName, uid: Option<&Uid>, denial: Denial) -> Bytes {
    let mut json = Text::with_room(ROOM);
    json.raw(r#"{"type":"error""#);
    push_uid(&mut json, uid);
    json.raw(r#","topic":"#).string(topic.as_str());
    push_error(&mut json, denial.code(), denial.message(), denial.temporary());
    json.into_frame()
}

/// The answer to a message that was not understood, as a frame.
pub(crate) fn not_understood(unreadable: &Unreadable) -> Bytes {
    let mut json = Text::with_room(ROOM);
    json.raw(r#"{"type":"error""#);
    push_uid(&mut json, unreadable.uid.as_ref());
    if let Some(topic) = &unreadable.topic {
        json.raw(r#","topic":"#).string(topic.as_str());
    }
    push_error(&mut json, "bad_message", unreadable.why, false);
    json.into_frame()
}

fn push_uid(json: &mut Text, uid: Option<&Uid>) {
    if let Some(uid) = uid {
        json.raw(r#","uid":"#).string(uid.as_str());
    }
}

/// The last member of a message, and its end.
fn push_error(json: &mut Text, code: &str, message: &str, temporary: bool) {
    json.raw(r#","error":{"code":"#).string(code);
    json.raw(r#","message":"#).string(message);
    json.raw(r#","temporary":"#).bool(temporary).raw("}}");
}
