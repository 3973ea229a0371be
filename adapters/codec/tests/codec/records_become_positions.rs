use std::time::Duration;

use processor_codec::{Limits, RecordCodec};
use processor_domain::{Attributes, Heading, Priority, Record, Speed, samples};
use proptest::prelude::*;

use crate::{position, received, record_with};

#[test]
fn the_sample_of_the_contract_is_read_whole() {
    let sample = r#"{"device_id":"356307042441013","timestamp":"2026-05-01T10:00:00.000Z",
        "latitude":54.7146368,"longitude":25.3032245,"altitude":111,"angle":214,"speed":45,
        "satellites":13,"priority":0,"attributes":{"239":1,"66":12345,"16":{"__bigint":"18446744073709551"}}}"#;
    let expected = samples::position()
        .received_at(super::RECEIVED)
        .attributes(r#"{"16":"18446744073709551","66":12345,"239":1}"#);
    assert_eq!(position(sample), samples::PositionBuilder::build(expected));
}

#[test]
fn only_device_time_and_place_are_needed() {
    let bare = position(record_with(&[]));
    assert_eq!((bare.altitude, bare.heading, bare.speed, bare.satellites), (None, None, None, None));
    assert_eq!((bare.priority, bare.attributes), (Priority::Low, Attributes::default()));

    let names = ["altitude", "angle", "speed", "satellites", "priority", "attributes", "event", "codec"];
    let nulls = names.map(|name| (name, "null"));
    assert_eq!(position(record_with(&nulls)), position(record_with(&[])));
}

#[test]
fn a_device_has_its_name_as_text_or_as_a_number() {
    for (fields, expected) in [
        ([("device_id", r#""356307042441013""#), ("imei", "")], "356307042441013"),
        ([("device_id", ""), ("imei", r#""000000338131000""#)], "000000338131000"),
        ([("device_id", "338131000"), ("imei", "")], "000000338131000"),
        ([("device_id", "3.56307042441013e14"), ("imei", "")], "356307042441013"),
        ([("device_id", "9007199254740991"), ("imei", "")], "9007199254740991"),
        ([("device_id", r#""\u0041b\/""#), ("imei", "null")], "Ab/"),
        ([("device_id", r#""a""#), ("imei", r#""b""#)], "b"),
    ] {
        assert_eq!(position(record_with(&fields)).device_id.as_str(), expected, "{fields:?}");
    }
}

#[test]
fn a_moment_is_text_with_a_zone_or_milliseconds() {
    for (timestamp, expected) in [
        (r#""2026-05-01T10:00:00.000Z""#, "2026-05-01T10:00:00Z"),
        (r#""2026-05-01T10:00:00Z""#, "2026-05-01T10:00:00Z"),
        (r#""2026-05-01T13:00:00.5+03:00""#, "2026-05-01T10:00:00.5Z"),
        (r#""2026-05-01\u005410:00:00Z""#, "2026-05-01T10:00:00Z"),
        ("1777629600000", "2026-05-01T10:00:00Z"),
        ("1777629600001", "2026-05-01T10:00:00.001Z"),
        ("1.7776296e12", "2026-05-01T10:00:00Z"),
    ] {
        let read = position(record_with(&[("timestamp", timestamp)]));
        assert_eq!(read.ts, samples::at(expected), "{timestamp}");
    }
}

#[test]
fn a_position_without_satellites_has_no_course_and_no_speed() {
    let fields = |count| record_with(&[("satellites", count), ("angle", "0"), ("speed", "0")]);
    let (without, with, unknown) = (position(fields("0")), position(fields("3")), position(fields("null")));
    assert_eq!((without.satellites, without.heading, without.speed), (Some(0), None, None));
    assert_eq!((with.heading, with.speed), (Heading::from_degrees(0.0), Speed::from_kmh(0.0)));
    assert_eq!((unknown.heading, unknown.speed), (with.heading, with.speed));
}

#[test]
fn numbers_without_use_are_not_kept() {
    let degrees = |name, value| position(record_with(&[(name, value)])).heading.map(Heading::degrees);
    for (value, expected) in [
        ("214", Some(214.0)),
        ("0.5", Some(0.5)),
        ("360", Some(0.0)),
        ("361", None),
        ("-1", None),
        ("1e999", None),
    ] {
        for name in ["heading", "angle", "course"] {
            assert_eq!(degrees(name, value), expected, "{name} {value}");
        }
    }
    for (value, expected) in [("45", Some(45.0)), ("0", Some(0.0)), ("-1", None), ("1e39", None)] {
        let read = position(record_with(&[("speed", value)])).speed.map(Speed::kmh);
        assert_eq!(read, expected, "speed {value}");
    }
    for (value, expected) in [
        ("13", Some(13)),
        ("255", Some(255)),
        ("13.0", Some(13)),
        ("256", None),
        ("-1", None),
        ("1.5", None),
        ("1e-400", None),
    ] {
        assert_eq!(
            position(record_with(&[("satellites", value)])).satellites,
            expected,
            "satellites {value}"
        );
    }
    for (value, expected) in [("111.5", Some(111.5)), ("-40", Some(-40.0)), ("1e300", None)] {
        let read = position(record_with(&[("altitude", value)])).altitude;
        assert_eq!(read.map(processor_domain::Altitude::metres), expected, "altitude {value}");
    }
    for (value, expected) in [
        ("0", Priority::Low),
        ("1", Priority::High),
        ("2", Priority::Panic),
        ("2.0", Priority::Panic),
        ("3", Priority::Low),
        ("-1", Priority::Low),
        ("1e999", Priority::Low),
    ] {
        assert_eq!(position(record_with(&[("priority", value)])).priority, expected, "priority {value}");
    }
}

#[test]
fn places_that_are_not_on_earth_are_kept_to_be_marked() {
    let read = position(record_with(&[("latitude", "91"), ("longitude", "-214.7483648")]));
    assert!(!read.coordinates.on_earth());
    assert!((read.coordinates.longitude() - -214.748_364_8).abs() < f64::EPSILON);
}

#[test]
fn the_last_of_several_fields_with_one_meaning_counts_and_others_are_passed_over() {
    let payload = record_with(&[
        ("angle", "1"),
        ("heading", "2"),
        ("course", "null"),
        ("speed", "1"),
        (r"spe\u0065d", "2"),
        ("codec", r#"{"id":[8,null]}"#),
    ]);
    let read = position(payload);
    assert_eq!(read.heading, Heading::from_degrees(2.0));
    assert_eq!(read.speed, Speed::from_kmh(2.0));
}

#[test]
fn a_clock_that_is_behind_refuses_nothing_that_was_just_received() {
    let codec = RecordCodec::new(Limits { ahead: Duration::ZERO, ..Limits::default() });
    let behind = received().minus(Duration::from_hours(1));
    let payload = record_with(&[("timestamp", "1777629601000")]);
    assert!(matches!(codec.decode(payload.as_bytes(), received(), behind), Record::Position(_)));
    assert!(matches!(codec.decode(payload.as_bytes(), behind, received()), Record::Position(_)));
    assert!(matches!(codec.decode(payload.as_bytes(), behind, behind), Record::Undecodable { .. }));
}

proptest! {
    #[test]
    fn digits_below_the_microsecond_are_cut_off(nanos in 0_u32..1_000_000_000, digits in 1_usize..=9) {
        let fraction = &format!("{nanos:09}")[..digits];
        let read = position(record_with(&[("timestamp", &format!("\"2026-05-01T10:00:00.{fraction}Z\""))]));
        let kept = format!("{fraction:0<6}")[..6].parse::<i64>().unwrap();
        prop_assert_eq!(read.ts.micros(), samples::at("2026-05-01T10:00:00Z").micros() + kept);
    }

    #[test]
    fn coordinates_are_read_to_the_last_bit(latitude in -90.0_f64..=90.0, longitude in -180.0_f64..=180.0) {
        let read = position(record_with(&[
            ("latitude", &latitude.to_string()),
            ("longitude", &format!("{longitude:e}")),
        ]));
        prop_assert_eq!((read.coordinates.latitude(), read.coordinates.longitude()), (latitude, longitude));
    }
}
