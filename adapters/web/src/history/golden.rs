//! Every format, compared with the files in `tests/golden`, and read again by parsers that others wrote.

use std::collections::BTreeMap;
use std::time::Duration;

use processor_domain::{
    Altitude, Coordinates, DeviceId, Fault, Faults, Heading, Kept, Position, Priority, Speed, Timestamp,
    samples,
};
use proptest::prelude::*;
use serde_json::Value;

use super::Format;
use crate::text::Text;

fn written(format: Format, positions: &[Kept]) -> String {
    let (mut encoder, mut out) = (format.encoder(), Text::with_room(0));
    encoder.begin(&mut out);
    for kept in positions {
        encoder.position(&mut out, kept);
    }
    encoder.end(&mut out);
    String::from_utf8(out.into_text().to_vec()).expect("it is text")
}

fn kept(position: Position, faults: Faults) -> Kept {
    Kept { position, faults, faulty: faults.faulty() }
}

/// One with everything, one after a gap, a bare one that is not on Earth, one at the edge, and names that mean
/// something elsewhere.
fn few() -> Vec<Kept> {
    let at = |ts| samples::position().device(1).ts(ts).attributes("{}");
    let full = at("2026-05-01T10:00:00Z").attributes(r#"{"239":1,"a":"x\",y"}"#).priority(Priority::Panic);
    let after_a_gap = at("2026-05-01T10:05:00.000001Z").at(1e-7, -1e-7).build();
    let bare = at("2026-05-01T10:06:00Z").at(91.0, 214.7).satellites(None).build();
    let bare = Position { altitude: None, heading: None, speed: None, ..bare };
    let edge = at("2026-05-01T10:07:00Z").at(-90.0, 180.0).build();
    let named = |name, ts| Position {
        device_id: DeviceId::parse(name).expect("a name"),
        ..samples::position().ts(ts).attributes("{}").build()
    };
    vec![
        kept(full.build(), Faults::NONE),
        kept(after_a_gap, Faults::from_iter([Fault::ImplausibleJump, Fault::Late, Fault::Confirmed])),
        kept(bare, Fault::OutOfRange.into()),
        kept(edge, Faults::NONE),
        kept(named(r#"'"<&>,"#, "2026-05-01T10:00:00.500Z"), Fault::Marked.into()),
        kept(named("=1+1", "2026-05-01T10:00:01Z"), Faults::NONE),
    ]
}

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../tests/golden/history/", $name))
    };
}

/// `PROCESSOR_RENEW=1` writes the files instead.
#[test]
fn every_format_is_golden() {
    let all = [
        (Format::NdJson, golden!("few.ndjson"), golden!("none.ndjson")),
        (Format::GeoJson, golden!("few.geojson"), golden!("none.geojson")),
        (Format::Gpx, golden!("few.gpx"), golden!("none.gpx")),
        (Format::Csv, golden!("few.csv"), golden!("none.csv")),
    ];
    for (format, few_of_them, none) in all {
        if std::env::var_os("PROCESSOR_RENEW").is_some() {
            let file = |name: &str| format!("tests/golden/history/{name}.{}", format.name());
            std::fs::write(file("few"), written(format, &few())).expect("the file can be written");
            std::fs::write(file("none"), written(format, &[])).expect("the file can be written");
            continue;
        }
        assert_eq!(written(format, &few()), few_of_them, "{format:?}");
        assert_eq!(written(format, &[]), none, "{format:?}");
    }
}

fn position() -> impl Strategy<Value = Kept> {
    // As trackers send them: what one reads of more digits depends on the parser.
    let place = (-1_000_000_000_i32..1_000_000_000, -2_147_000_000_i32..2_147_000_000);
    let place =
        place.prop_map(|(latitude, longitude)| (f64::from(latitude) / 1e7, f64::from(longitude) / 1e7));
    let numbers = (
        proptest::option::of(-500.0_f32..9_000.0),
        proptest::option::of(0.0_f32..360.0),
        proptest::option::of(0.0_f32..1e9),
        proptest::option::of(any::<u8>()),
    );
    let name = "[!-~]{1,39}";
    (name, 0_i64..200_000_000_000_000_000, place, numbers, 0_u16..1 << Fault::ALL.len()).prop_map(
        |(name, micros, (latitude, longitude), (altitude, angle, speed, satellites), faults)| {
            let position = Position {
                device_id: DeviceId::parse(&name).expect("visible ASCII"),
                ts: Timestamp::from_micros(micros),
                received_at: Timestamp::from_micros(micros / 2),
                coordinates: Coordinates::new(latitude, longitude).expect("finite"),
                altitude: altitude.and_then(Altitude::from_metres),
                heading: angle.and_then(Heading::from_degrees),
                speed: speed.and_then(Speed::from_kmh),
                satellites,
                ..samples::position().build()
            };
            kept(position, Faults::from_bits(faults))
        },
    )
}

/// What every format tells, in one shape.
#[derive(Debug, PartialEq)]
struct Told {
    device: String,
    ts: Timestamp,
    place: (f64, f64),
    numbers: [Option<f32>; 3],
    satellites: Option<u8>,
    faulty: bool,
    faults: Vec<String>,
}

fn told(kept: &Kept) -> Told {
    let Kept { position, faults, faulty } = kept;
    Told {
        device: position.device_id.to_string(),
        ts: position.ts,
        place: (position.coordinates.latitude(), position.coordinates.longitude()),
        numbers: [
            position.altitude.map(Altitude::metres),
            position.heading.map(Heading::degrees),
            position.speed.map(Speed::kmh),
        ],
        satellites: position.satellites,
        faulty: *faulty,
        faults: faults.iter().map(|fault| fault.name().to_owned()).collect(),
    }
}

fn told_in_json(members: &Value, place: (f64, f64)) -> Told {
    // As a program that knows single precision reads them: by their text.
    let number = |name: &str| members.get(name).map(|number| number.to_string().parse().expect("a number"));
    let text = |name: &str| members[name].as_str().expect("text");
    let faults = members.get("faults").and_then(Value::as_array).cloned().unwrap_or_default();
    Told {
        device: text("device_id").into(),
        ts: samples::at(text("timestamp")),
        place,
        numbers: [number("altitude"), number("angle"), number("speed")],
        satellites: members.get("satellites").map(|count| count.to_string().parse().expect("a count")),
        faulty: members["faulty"].as_bool().expect("yes or no"),
        faults: faults.iter().map(|name| name.as_str().expect("text").to_owned()).collect(),
    }
}

fn place_in(members: &Value) -> (f64, f64) {
    let degrees = |name: &str| members[name].as_f64().expect("degrees");
    (degrees("latitude"), degrees("longitude"))
}

fn told_by_ndjson(text: &str) -> Vec<Told> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.map(|record| told_in_json(&record, place_in(&record))).collect()
}

fn told_by_geojson(text: &str) -> Vec<Told> {
    let collection: Value = serde_json::from_str(text).expect("it is JSON");
    assert_eq!(collection["type"], "FeatureCollection");
    let features = collection["features"].as_array().expect("features").iter();
    features
        .map(|feature| {
            assert_eq!(feature["type"], "Feature");
            let properties = &feature["properties"];
            let coordinates = &feature["geometry"]["coordinates"];
            let degrees = |at: usize| coordinates[at].as_f64().expect("degrees");
            let place = if coordinates.is_null() { place_in(properties) } else { (degrees(1), degrees(0)) };
            told_in_json(properties, place)
        })
        .collect()
}

fn told_by_csv(text: &str) -> Vec<Told> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize::<BTreeMap<String, String>>();
    rows.map(|row| {
        let row = row.expect("a row is like the header");
        let number = |name: &str| (!row[name].is_empty()).then(|| row[name].parse().expect("a number"));
        let device = &row["device_id"];
        Told {
            device: device.strip_prefix('\'').unwrap_or(device).to_owned(),
            ts: samples::at(&row["timestamp"]),
            place: (row["latitude"].parse().expect("degrees"), row["longitude"].parse().expect("degrees")),
            numbers: [number("altitude"), number("angle"), number("speed")],
            satellites: (!row["satellites"].is_empty()).then(|| row["satellites"].parse().expect("a count")),
            faulty: row["faulty"] == "true",
            faults: row["faults"].split_whitespace().map(str::to_owned).collect(),
        }
    })
    .collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_as_the_same_positions(
        positions in prop::collection::vec(position(), 0..20)
    ) {
        let expected: Vec<Told> = positions.iter().map(told).collect();
        prop_assert_eq!(&told_by_ndjson(&written(Format::NdJson, &positions)), &expected);
        prop_assert_eq!(&told_by_geojson(&written(Format::GeoJson, &positions)), &expected);
        prop_assert_eq!(&told_by_csv(&written(Format::Csv, &positions)), &expected);
    }

    #[test]
    fn a_track_has_every_point_on_earth_of_its_device_and_breaks_where_there_is_a_gap(
        mut positions in prop::collection::vec(position(), 0..20),
        pauses in prop::collection::vec(0_u64..600, 20),
    ) {
        // As they come: by device, and by time within one.
        positions.sort_by_key(|kept| kept.position.device_id);
        let mut ts = samples::at("2026-05-01T10:00:00Z");
        for (kept, pause) in positions.iter_mut().zip(pauses) {
            ts = ts.plus(Duration::from_secs(pause));
            kept.position.ts = ts;
        }
        let text = written(Format::Gpx, &positions);
        let gpx = gpx::read(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let mut found = Vec::new();
        for track in &gpx.tracks {
            for segment in &track.segments {
                prop_assert!(!segment.points.is_empty());
                let times: Vec<i64> = segment.points.iter().map(seconds).collect();
                prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 300));
                for point in &segment.points {
                    let place = (point.point().y(), point.point().x());
                    found.push((track.name.clone().unwrap_or_default(), seconds(point), place, point.sat));
                }
            }
        }
        let on_earth = positions.iter().filter(|kept| kept.position.coordinates.on_earth());
        let expected: Vec<_> = on_earth.map(|Kept { position, .. }| {
            let place = (position.coordinates.latitude(), position.coordinates.longitude());
            let satellites = position.satellites.map(u64::from);
            (position.device_id.to_string(), position.ts.millis() / 1_000, place, satellites)
        }).collect();
        prop_assert_eq!(found, expected);
        let devices: std::collections::BTreeSet<_> = gpx.tracks.iter().map(|track| track.name.clone()).collect();
        prop_assert_eq!(devices.len(), gpx.tracks.len(), "one track for each device");
    }
}

fn seconds(point: &gpx::Waypoint) -> i64 {
    let time = point.time.expect("every point has a time");
    samples::at(&time.format().expect("a time")).millis() / 1_000
}
