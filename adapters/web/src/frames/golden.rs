//! Every message of the server, compared with the files in `tests/golden`, which the documentation shows.

use processor_domain::{EventId, Fault, Position, samples};
use processor_live::{Denial, Epoch, FrameEncoder, PositionsFrame, ServerMessage, Sighting, TopicName, Uid};

use super::{JsonFrames, parts_of};

fn event() -> EventId {
    EventId::parse("42").unwrap()
}

fn uid(text: &str) -> Option<Uid> {
    Uid::new(text).ok()
}

fn epoch() -> Epoch {
    Epoch::parse("0123456789abcdef").unwrap()
}

/// One with everything, one with nothing but a place and a mistrust of it.
fn positions() -> [Sighting; 2] {
    let bare = samples::position().device(7).ts("2026-05-01T10:00:00.123456Z").at(-0.5, 0.0).satellites(None);
    let bare = Position { altitude: None, heading: None, speed: None, ..bare.build() };
    [
        Sighting::stored(&samples::position().build()),
        Sighting { faults: Fault::NoFix.into(), ..Sighting::stored(&bare) },
    ]
}

fn assert_golden(text: &[u8], file: &str) {
    let text = std::str::from_utf8(text).expect("it is text");
    assert_eq!(text, file.strip_suffix('\n').unwrap_or(file));
    let read = serde_json::from_str::<serde_json::Value>(text);
    assert!(read.is_ok(), "{read:?}");
}

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../tests/golden/", $name, ".json"))
    };
}

/// The text of a frame, of which this is the whole.
pub(super) fn text_in(frame: &[u8]) -> &[u8] {
    let (length, text) = match frame {
        [0x81, 126, high, low, text @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), text),
        [0x81, short, text @ ..] if *short < 126 => (usize::from(*short), text),
        _ => panic!("not a frame of text of such a length: {frame:?}"),
    };
    assert_eq!(text.len(), length);
    text
}

fn text_of(message: ServerMessage) -> Vec<u8> {
    let mut frame = Vec::new();
    parts_of(message, |part| frame.extend_from_slice(&part));
    text_in(&frame).to_vec()
}

fn frame(frame: PositionsFrame<'_>) -> Vec<u8> {
    text_of(ServerMessage::Positions(JsonFrames.positions(&frame)))
}

#[test]
fn frames_of_positions_are_golden() {
    let (event, positions) = (event(), positions());
    let (plain, gone) = (&positions[..], [samples::device(8), samples::device(9)]);
    let usual = PositionsFrame { event: &event, seq: 98, removed: &[], positions: plain, conflated: false };
    assert_golden(&frame(usual), golden!("positions"));
    let removed = PositionsFrame { removed: &gone, positions: &[], ..usual };
    assert_golden(&frame(removed), golden!("positions-removed"));
    let conflated = PositionsFrame { seq: u64::MAX, removed: &gone[..1], conflated: true, ..usual };
    assert_golden(&frame(conflated), golden!("positions-conflated"));
}

#[test]
fn answers_to_a_subscription_are_golden() {
    let topic = TopicName::of(&event());
    let anew = ServerMessage::Subscribed {
        topic: topic.clone(),
        uid: uid("1"),
        epoch: epoch(),
        seq: 97,
        recovered: false,
        snapshot: JsonFrames.snapshot(&positions()[..1]),
        snapshot_complete: true,
    };
    assert_golden(&text_of(anew), golden!("subscribed"));
    let recovered = ServerMessage::Subscribed {
        topic,
        uid: None,
        epoch: epoch(),
        seq: 97,
        recovered: true,
        snapshot: JsonFrames.snapshot(&[]),
        snapshot_complete: false,
    };
    assert_golden(&text_of(recovered), golden!("subscribed-recovered"));
}

#[test]
fn other_answers_are_golden() {
    let topic = TopicName::of(&event());
    let unsubscribed = ServerMessage::Unsubscribed { topic: topic.clone(), uid: uid("2") };
    assert_golden(&text_of(unsubscribed), golden!("unsubscribed"));
    assert_golden(&text_of(ServerMessage::Pong { uid: uid("3") }), golden!("pong"));
    assert_golden(&text_of(ServerMessage::Pong { uid: None }), golden!("pong-plain"));
    let forbidden = ServerMessage::Error { topic, uid: uid("1"), denial: Denial::Forbidden };
    assert_golden(&text_of(forbidden), golden!("error-forbidden"));
    let hostile = TopicName::new("\"\\\u{1}<é🚗>").unwrap();
    let unknown = ServerMessage::Error { topic: hostile, uid: uid("\n"), denial: Denial::UnknownTopic };
    assert_golden(&text_of(unknown), golden!("error-hostile"));
    let wait =
        ServerMessage::Error { topic: TopicName::of(&event()), uid: None, denial: Denial::Unavailable };
    assert_golden(&text_of(wait), golden!("error-unavailable"));
}
