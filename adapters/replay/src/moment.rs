//! The time of a record, found and moved without reading the rest.

use std::ops::Range;

use processor_domain::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A number of milliseconds since 1970 has at least 11 and at most 15 digits, as the record codec has it: with
/// fewer it is seconds, with more it is microseconds.
const MILLIS: Range<i64> = 10_000_000_000..253_402_300_800_000;

#[derive(Deserialize)]
struct Timed<'a> {
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
}

/// The time that the record says it was measured at; `None` if it has none or is no record.
pub(crate) fn of(payload: &[u8]) -> Option<Timestamp> {
    find(payload).map(|(_, moment)| moment)
}

/// The record with its time moved by so many microseconds, in the form it was written in, and with every other
/// byte as it was. `None` if it has no time.
pub(crate) fn moved(payload: &[u8], micros: i64) -> Option<Box<[u8]>> {
    let (place, moment) = find(payload)?;
    let moment = Timestamp::from_micros(moment.micros().saturating_add(micros));
    let text =
        if payload[place.start] == b'"' { format!("\"{moment}\"") } else { moment.millis().to_string() };
    Some([&payload[..place.start], text.as_bytes(), &payload[place.end..]].concat().into())
}

/// Where in the record the value of its time stands, and what it says.
fn find(payload: &[u8]) -> Option<(Range<usize>, Timestamp)> {
    let Timed { timestamp } = serde_json::from_slice(payload).ok()?;
    let value = timestamp?.get();
    // The value is borrowed from the payload: the difference of their addresses is its place.
    let start = value.as_ptr().addr().checked_sub(payload.as_ptr().addr())?;
    let moment = match value.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) => Timestamp::parse_rfc3339(text).ok()?,
        None => Timestamp::from_millis(value.parse().ok().filter(|millis| MILLIS.contains(millis))?),
    };
    Some((start..start + value.len(), moment))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_found_as_text_and_as_milliseconds() {
        let ten = Timestamp::from_millis(1_777_629_600_000);
        for (payload, expected) in [
            (r#"{"timestamp":"2026-05-01T10:00:00Z"}"#, Some(ten)),
            (r#"{ "a" : {"timestamp":1}, "timestamp" : 1777629600000 , "b":[]}"#, Some(ten)),
            (r#"{"timestamp":1777629600}"#, None),
            (r#"{"timestamp":"yesterday"}"#, None),
            (r#"{"timestamp":null}"#, None),
            (r#"{"timestamp":{}}"#, None),
            (r#"{"time":"2026-05-01T10:00:00Z"}"#, None),
            (r#"{"timestamp":"2026-05-01T10:00:00Z""#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(of(payload.as_bytes()), expected, "{payload}");
        }
    }

    #[test]
    fn is_moved_in_the_form_it_has_and_nothing_else_changes() {
        let moved = |payload: &str, micros| {
            moved(payload.as_bytes(), micros).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        assert_eq!(
            moved(r#"{"x":1e3, "timestamp":"2026-05-01T12:00:00+02:00","y":{"__bigint":"1"} }"#, 1_500_000),
            Some(r#"{"x":1e3, "timestamp":"2026-05-01T10:00:01.500Z","y":{"__bigint":"1"} }"#.into())
        );
        assert_eq!(
            moved(r#"{"timestamp":1777629600000}"#, -1_000_000).as_deref(),
            Some(r#"{"timestamp":1777629599000}"#)
        );
        assert_eq!(moved(r#"{"device_id":"1"}"#, 1), None);
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(payload in prop::collection::vec(any::<u8>(), 0..64), micros in any::<i64>()) {
            prop_assert_eq!(of(&payload).is_some(), moved(&payload, micros).is_some());
        }

        #[test]
        fn a_time_moved_is_the_time_plus_the_distance(
            at in 1_000_000_000_000_i64..4_000_000_000_000,
            by in -900_000_000_000_i64..900_000_000_000,
            as_text in any::<bool>(),
        ) {
            let at = Timestamp::from_millis(at);
            let value = if as_text { format!("\"{at}\"") } else { at.millis().to_string() };
            let payload = format!(r#"{{"device_id":"1","timestamp":{value},"speed":4}}"#);
            let after = moved(payload.as_bytes(), by * 1_000).expect("it has a time");
            prop_assert_eq!(of(&after), Some(Timestamp::from_millis(at.millis() + by)));
        }
    }
}
