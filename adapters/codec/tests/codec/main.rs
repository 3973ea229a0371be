//! What the codec promises, seen from outside.

mod attributes_become_canonical;
mod canonical;
mod golden_samples_stay_as_they_are;
mod json_text;
mod positions_survive_the_wire;
mod records_become_positions;
mod what_cannot_be_a_position_is_handed_on;

use processor_codec::{Limits, RecordCodec};
use processor_domain::{DeadLetterReason, Position, Record, Timestamp, samples};

/// When the records of these tests are received.
const RECEIVED: &str = "2026-05-01T10:00:01Z";

fn received() -> Timestamp {
    samples::at(RECEIVED)
}

fn decode(payload: impl AsRef<[u8]>) -> Record {
    RecordCodec::new(Limits::default()).decode(payload.as_ref(), received(), received())
}

fn position(payload: impl AsRef<[u8]>) -> Position {
    match decode(payload.as_ref()) {
        Record::Position(position) => position,
        other => panic!("{} gave {other:?}", String::from_utf8_lossy(payload.as_ref())),
    }
}

/// The reason and the words with which a payload is handed on.
fn refusal(payload: impl AsRef<[u8]>) -> (DeadLetterReason, Box<str>) {
    match decode(payload.as_ref()) {
        Record::Undecodable { reason, detail, payload: kept } => {
            assert_eq!(&*kept, payload.as_ref(), "the payload is kept as it came");
            (reason, detail)
        }
        other => panic!("{} gave {other:?}", String::from_utf8_lossy(payload.as_ref())),
    }
}

/// A record with these fields in the place of, or besides, those of a good one; a field given as nothing is
/// left out.
fn record_with(fields: &[(&str, &str)]) -> String {
    let good = [
        ("device_id", r#""356307042441013""#),
        ("timestamp", r#""2026-05-01T10:00:00.000Z""#),
        ("latitude", "54.7146368"),
        ("longitude", "25.3032245"),
    ];
    let replaced = good.iter().filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
    let written: Vec<_> = replaced
        .chain(fields)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", written.join(","))
}

/// The canonical text of attributes that were sent as this JSON.
fn canonical_of(attributes: &str) -> String {
    position(record_with(&[("attributes", attributes)])).attributes.as_json().to_owned()
}
