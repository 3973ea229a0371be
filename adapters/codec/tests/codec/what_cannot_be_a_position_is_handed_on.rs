use processor_codec::{Limits, RecordCodec};
use processor_domain::{DeadLetterReason as Reason, Record};
use proptest::prelude::*;

use crate::{received, record_with, refusal};

#[test]
fn with_a_reason_and_with_the_field_and_the_value_in_words() {
    let field = |name, value| record_with(&[(name, value)]).into_bytes();
    let good = record_with(&[]);
    let too_large = format!("{good}{}", " ".repeat(1 << 20)).into_bytes();
    let long_name = format!("\"{}\"", "1".repeat(40));
    for (payload, reason, words) in [
        (b"".to_vec(), Reason::NotJson, "not JSON: EOF"),
        (b"nonsense".to_vec(), Reason::NotJson, "not JSON: expected ident"),
        (good.as_bytes()[..40].to_vec(), Reason::NotJson, "not JSON: EOF"),
        (format!("{good}x").into_bytes(), Reason::NotJson, "not JSON: trailing characters"),
        (format!("{good}{good}").into_bytes(), Reason::NotJson, "not JSON: trailing characters"),
        (format!("\u{feff}{good}").into_bytes(), Reason::NotJson, "not JSON: expected value"),
        (b"[1,2]".to_vec(), Reason::NotJson, "JSON, but not an object: [1,2]"),
        (b"\"text\"".to_vec(), Reason::NotJson, "JSON, but not an object: \"text\""),
        (b"null".to_vec(), Reason::NotJson, "JSON, but not an object: null"),
        (b"{\"device_id\":\"\xff\"}".to_vec(), Reason::NotJson, "not UTF-8 text after byte 14"),
        (b"{\"device_id\":\"a\0b\"}".to_vec(), Reason::NotJson, "not JSON: control character"),
        (field("latitude", "NaN"), Reason::NotJson, "not JSON: expected value"),
        (field("speed", "Infinity"), Reason::NotJson, "not JSON: expected value"),
        (field("speed", "01"), Reason::NotJson, "not JSON: invalid number"),
        (too_large, Reason::TooLarge, "1048"),
        (b"{}".to_vec(), Reason::InvalidDevice, "device_id is missing or null"),
        (field("device_id", ""), Reason::InvalidDevice, "device_id is missing or null"),
        (field("device_id", "null"), Reason::InvalidDevice, "device_id is missing or null"),
        (field("device_id", r#""""#), Reason::InvalidDevice, r#"device_id is "", but a device id is"#),
        (field("device_id", r#""35\u0000""#), Reason::InvalidDevice, r#"device_id is "35\u0000", but"#),
        (field("device_id", r#""3 5""#), Reason::InvalidDevice, "but a device id is 1 to 39 visible"),
        (field("device_id", &long_name), Reason::InvalidDevice, "but a device id is 1 to 39 visible"),
        (field("device_id", "-1"), Reason::InvalidDevice, "device_id is -1, which is neither"),
        (field("device_id", "1.5"), Reason::InvalidDevice, "device_id is 1.5, which is neither"),
        (field("device_id", "9007199254740992"), Reason::InvalidDevice, "is 9007199254740992, which"),
        (field("device_id", "[1]"), Reason::InvalidDevice, "device_id is [1], which is neither"),
        (field("device_id", "true"), Reason::InvalidDevice, "device_id is true, which is neither"),
        (field("timestamp", ""), Reason::InvalidTime, "timestamp is missing or null"),
        (field("timestamp", r#""2026-05-01T10:00:00""#), Reason::InvalidTime, "2026-05-01T10:00:00\", which"),
        (field("timestamp", r#""2026-02-30T10:00:00Z""#), Reason::InvalidTime, "2026-02-30"),
        (field("timestamp", r#""+262000-01-01T00:00:00Z""#), Reason::InvalidTime, "+262000"),
        (field("timestamp", r#""1777629600000""#), Reason::InvalidTime, "not RFC 3339 text"),
        (field("timestamp", r#""yesterday""#), Reason::InvalidTime, "\"yesterday\""),
        (
            field("timestamp", "1777629600"),
            Reason::InvalidTime,
            "is 1777629600, which is not whole milliseconds",
        ),
        (field("timestamp", "9999999999"), Reason::InvalidTime, "is 9999999999, which"),
        (field("timestamp", "1777629600000000"), Reason::InvalidTime, "is 1777629600000000, which"),
        (field("timestamp", "-1777629600000"), Reason::InvalidTime, "is -1777629600000, which"),
        (field("timestamp", "1777629600000.5"), Reason::InvalidTime, "is 1777629600000.5, which"),
        (field("timestamp", "1e999"), Reason::InvalidTime, "is 1e999, which"),
        (field("timestamp", "{}"), Reason::InvalidTime, "is {}, which"),
        (
            field("timestamp", "10000000000"),
            Reason::TimeOutOfSpan,
            "1970-04-26T17:46:40.000Z, before 2000-01-01",
        ),
        (
            field("timestamp", r#""1999-12-31T23:59:59.999Z""#),
            Reason::TimeOutOfSpan,
            "1999-12-31T23:59:59.999Z, before",
        ),
        (
            field("timestamp", r#""2026-05-02T10:00:01.001Z""#),
            Reason::TimeOutOfSpan,
            "after 2026-05-02T10:00:01.000Z",
        ),
        (field("timestamp", r#""9999-12-31T23:59:59Z""#), Reason::TimeOutOfSpan, "9999-12-31"),
        (field("timestamp", "253402300799999"), Reason::TimeOutOfSpan, "9999-12-31"),
        (field("latitude", ""), Reason::InvalidCoordinates, "latitude is missing or null"),
        (field("longitude", "null"), Reason::InvalidCoordinates, "longitude is missing or null"),
        (field("latitude", "1e999"), Reason::InvalidCoordinates, "latitude is 1e999, which is not a finite"),
        (
            field("longitude", "-1e309"),
            Reason::InvalidCoordinates,
            "longitude is -1e309, which is not a finite",
        ),
        (field("longitude", r#""25.3""#), Reason::InvalidCoordinates, r#"longitude is "25.3", which"#),
        (field("latitude", "[54.7,\n25.3]"), Reason::InvalidCoordinates, "latitude is [54.7, 25.3], which"),
        (
            field("altitude", r#""high""#),
            Reason::InvalidField,
            r#"altitude is "high", which is not a number"#,
        ),
        (field("course", "{}"), Reason::InvalidField, "heading is {}, which is not a number"),
        (field("speed", "true"), Reason::InvalidField, "speed is true, which is not a number"),
        (field("satellites", "[]"), Reason::InvalidField, "satellites is [], which is not a number"),
        (
            field("priority", r#""panic""#),
            Reason::InvalidField,
            r#"priority is "panic", which is not a number"#,
        ),
    ] {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(120)]).into_owned();
        let (found, detail) = refusal(payload);
        assert_eq!(found, reason, "{shown}: {detail}");
        assert!(detail.contains(words), "{shown}: {detail}");
    }
}

#[test]
fn the_words_are_short_and_on_one_line_whatever_the_value() {
    let value = format!("\"\\n{}\"", "é\u{85}".repeat(5_000));
    for field in ["device_id", "timestamp", "latitude", "altitude"] {
        let (_, detail) = refusal(record_with(&[(field, &value)]));
        assert!(detail.chars().count() < 256 && !detail.contains(char::is_control), "{detail}");
    }
    let (_, detail) = refusal(value);
    assert!(detail.chars().count() < 256 && !detail.contains(char::is_control), "{detail}");
}

#[test]
fn a_payload_may_be_as_large_as_the_limit() {
    let good = record_with(&[]);
    let codec = |max_bytes| RecordCodec::new(Limits { max_bytes, ..Limits::default() });
    let decode = |max_bytes| codec(max_bytes).decode(good.as_bytes(), received(), received());
    assert!(matches!(decode(good.len()), Record::Position(_)));
    assert!(matches!(decode(good.len() - 1), Record::Undecodable { reason: Reason::TooLarge, .. }));
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm(payload in prop::collection::vec(any::<u8>(), 0..256)) {
        let refused = matches!(crate::decode(&payload), Record::Undecodable { .. });
        prop_assert!(refused);
    }

    #[test]
    fn a_damaged_record_does_no_harm(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let good = record_with(&[
            ("satellites", "13"),
            ("attributes", r#"{"1":1,"16":{"__bigint":"18446744073709551"},"b":{"type":"Buffer","data":[1]},"s":"\ud83d\ude00"}"#),
        ]);
        let mut payload = good.into_bytes();
        for (index, byte) in damage {
            let place = index.index(payload.len());
            payload[place] = byte;
        }
        crate::decode(&payload);
        crate::decode(&payload[..cut.index(payload.len())]);
    }
}
