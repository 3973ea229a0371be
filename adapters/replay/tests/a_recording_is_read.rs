//! What is made of files, sound and damaged.

mod common;

use std::error::Error;
use std::time::Duration;

use common::{Scratch, gzip, line};
use processor_codec::{Limits, RecordCodec};
use processor_domain::{DeviceId, Heading, IoId, Position, Record, Speed, Timestamp};
use processor_replay::{Format, Recorded, Recording, RecordingError};

fn ten(second: u64) -> Timestamp {
    Timestamp::from_millis(1_777_629_600_000).plus(Duration::from_secs(second))
}

fn read(file: &Scratch) -> Result<Vec<Recorded>, RecordingError> {
    Recording::open(file.path())?.records()?.collect()
}

fn payloads(records: &[Recorded]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8_lossy(&record.payload).into_owned()).collect()
}

fn position(record: &Recorded) -> Position {
    let at = record.at.expect("a time");
    match RecordCodec::new(Limits::default()).decode(&record.payload, at, at) {
        Record::Position(position) => position,
        other => panic!("no position: {other:?}"),
    }
}

#[test]
fn each_line_is_a_record_as_it_is_and_blank_lines_are_none() {
    let good = line(1, 5);
    let file = Scratch::with(
        "each_line.ndjson",
        format!("\u{feff}\n{good}\r\n\n   \t\n  not json at all  \n{{\"timestamp\":1777629607000}}"),
    );
    let recording = Recording::open(file.path()).unwrap();
    assert_eq!(recording.format(), Format::Ndjson);
    let mut records = recording.records().unwrap();
    let read: Vec<_> = records.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(payloads(&read), [&good, "not json at all", r#"{"timestamp":1777629607000}"#]);
    assert_eq!(read.iter().map(|record| record.at).collect::<Vec<_>>(), [Some(ten(5)), None, Some(ten(7))]);
    assert_eq!(records.bytes_read(), recording.bytes());
    assert_eq!(recording.bytes(), std::fs::metadata(file.path()).unwrap().len());
}

#[test]
fn a_packed_file_is_told_by_its_content_and_may_have_several_parts() {
    let parts = [gzip(line(1, 1) + "\n"), gzip(line(1, 2))].concat();
    let file = Scratch::with("packed.any", parts);
    assert_eq!(payloads(&read(&file).unwrap()), [line(1, 1), line(1, 2)]);
    let recording = Recording::open(file.path()).unwrap();
    let mut records = recording.records().unwrap();
    assert_eq!(records.by_ref().count(), 2);
    assert_eq!(records.bytes_read(), recording.bytes());
}

#[test]
fn a_packed_file_that_ends_too_early_gives_its_whole_lines_and_then_says_so() {
    let lines: String = (0..500).map(|second| line(1, second * 7_919 % 500_000) + "\n").collect();
    let packed = gzip(&lines);
    let file = Scratch::with("cut.ndjson.gz", &packed[..packed.len() / 2]);
    let mut records = Recording::open(file.path()).unwrap().records().unwrap();
    let mut whole = 0;
    let error = loop {
        match records.next().expect("an error before the end") {
            Ok(record) => {
                assert!(lines.contains(std::str::from_utf8(&record.payload).unwrap()));
                assert!(record.at.is_some());
                whole += 1;
            }
            Err(error) => break error,
        }
    };
    assert!((10..490).contains(&whole), "{whole}");
    assert!(matches!(error, RecordingError::Incomplete { line, .. } if line == whole + 1), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("{}, line {}: the file ends here, and it is incomplete", file.path().display(), whole + 1)
    );
    assert!(records.next().is_none());
}

#[test]
fn a_packed_file_without_its_checksum_is_incomplete_too() {
    let packed = gzip(line(1, 1) + "\n");
    let file = Scratch::with("no_checksum.gz", &packed[..packed.len() - 3]);
    assert!(matches!(read(&file), Err(RecordingError::Incomplete { line: 2, .. })), "{:?}", read(&file));
    let file = Scratch::with("head_only.gz", &packed[..5]);
    assert!(matches!(read(&file), Err(RecordingError::Incomplete { line: 1, .. })), "{:?}", read(&file));
}

#[test]
fn a_damaged_packed_file_cannot_be_read() {
    let mut packed = gzip((0..100).map(|second| line(second, 1) + "\n").collect::<String>());
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let error = read(&Scratch::with("damaged.gz", packed)).unwrap_err();
    assert!(matches!(error, RecordingError::Read { line: 101, .. }), "{error:?}");
    assert!(error.source().is_some());
}

#[test]
fn an_empty_file_has_no_records() {
    for (name, content) in
        [("empty.ndjson", Vec::new()), ("blank.ndjson", b" \n\n".to_vec()), ("empty.gz", gzip(""))]
    {
        let file = Scratch::with(name, content);
        assert!(matches!(Recording::open(file.path()), Err(RecordingError::Empty { .. })), "{name}");
    }
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    let missing = Recording::open("/nowhere/at/all.ndjson").unwrap_err();
    assert_eq!(missing.to_string(), "/nowhere/at/all.ndjson cannot be opened");
    assert!(missing.source().is_some());
    assert!(Recording::open(env!("CARGO_TARGET_TMPDIR")).is_err());
}

#[test]
fn a_line_without_an_end_is_not_read_into_memory() {
    let file = Scratch::with("endless.ndjson", line(1, 1) + "\n" + &"x".repeat(3 * 1024 * 1024));
    let results: Vec<_> = Recording::open(file.path()).unwrap().records().unwrap().collect();
    assert_eq!(results.len(), 2);
    assert!(matches!(results[1], Err(RecordingError::LineTooLong { line: 2, .. })), "{:?}", results[1]);
}

const TWO_CARS: &str = r#"<?xml version="1.0"?>
<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1">
  <wpt lat="55" lon="25"><time>2026-05-01T09:00:00Z</time><name>service park</name></wpt>
  <rte><name>Planned, without times</name><rtept lat="55" lon="25"></rtept></rte>
  <trk><name>Car 7</name><trkseg>
    <trkpt lat="55.0000" lon="25.0"><ele>111.5</ele><time>2026-05-01T10:00:00Z</time></trkpt>
    <trkpt lat="55.0002" lon="25.0"><time>2026-05-01T10:00:01Z</time><hdop>0.9</hdop><sat>11</sat></trkpt>
    <trkpt lat="55.0004" lon="25.0"><time>2026-05-01T12:00:02.500+02:00</time></trkpt>
    <trkpt lat="55.0006" lon="25.0"></trkpt>
  </trkseg><trkseg>
    <trkpt lat="55.1" lon="25.0"><time>2026-05-01T10:01:00Z</time><fix>none</fix></trkpt>
  </trkseg></trk>
  <trk><trkseg>
    <trkpt lat="55.0" lon="25.0000"><time>2026-05-01T10:00:00.500Z</time></trkpt>
    <trkpt lat="55.0" lon="25.0010"><time>2026-05-01T10:00:03.500Z</time></trkpt>
  </trkseg></trk>
</gpx>
"#;

#[test]
fn points_of_tracks_are_records_in_the_order_of_their_times() {
    for (name, content) in [("two_cars.gpx", TWO_CARS.into()), ("two_cars.gpx.gz", gzip(TWO_CARS))] {
        let file = Scratch::with(name, content);
        let recording = Recording::open(file.path()).unwrap();
        assert_eq!(recording.format(), Format::Gpx);
        let positions: Vec<_> = read(&file).unwrap().iter().map(position).collect();
        let summary: Vec<_> = positions
            .iter()
            .map(|position| (position.device_id.to_string(), position.ts.since(ten(0)).as_millis()))
            .collect();
        let expected = [
            ("Car-7", 0),
            ("track-2", 500),
            ("Car-7", 1_000),
            ("Car-7", 2_500),
            ("track-2", 3_500),
            ("Car-7", 60_000),
        ];
        assert_eq!(summary, expected.map(|(device, millis)| (device.to_owned(), millis)));
    }
}

#[test]
fn speed_and_heading_come_from_the_points_before_and_after() {
    let file = Scratch::with("derived.gpx", TWO_CARS);
    let positions: Vec<_> = read(&file).unwrap().iter().map(position).collect();
    let motion = |n: usize| {
        let position: &Position = &positions[n];
        (position.speed.map(Speed::kmh), position.heading.map(Heading::degrees))
    };
    // 0.0002 degrees of latitude are 22.24 m.
    assert_eq!(motion(0), (Some(80.06), Some(0.0)));
    assert_eq!(motion(2), (Some(64.05), Some(0.0)));
    let (speed, heading) = motion(1);
    assert!((speed.unwrap() - 76.5).abs() < 0.2 && (heading.unwrap() - 90.0).abs() < 0.1, "{:?}", motion(1));
    assert_eq!(motion(5), (None, None), "a point alone says nothing of motion");

    assert_eq!(positions[0].altitude.map(processor_domain::Altitude::metres), Some(111.5));
    assert_eq!(
        (positions[2].satellites, positions[2].attributes.integer(&IoId::new(182))),
        (Some(11), Some(9))
    );
    assert_eq!(positions[5].satellites, Some(0), "no fix");
}

#[test]
fn a_device_given_is_the_device_of_all_points() {
    let file = Scratch::with("one_device.gpx", TWO_CARS);
    let device_id = DeviceId::parse("356307042441013").unwrap();
    let recording = Recording::open(file.path()).unwrap().of_device(device_id);
    for record in recording.records().unwrap() {
        assert_eq!(position(&record.unwrap()).device_id, device_id);
    }
}

#[test]
fn speed_that_was_recorded_is_kept_and_a_route_with_times_is_a_track() {
    let file = Scratch::with(
        "old.gpx",
        r#"<gpx version="1.0" creator="test"><rte><name>Š</name>
             <rtept lat="55" lon="25"><time>2026-05-01T10:00:00Z</time><speed>10</speed></rtept>
             <rtept lat="55" lon="25"><time>2026-05-01T10:00:01Z</time></rtept>
           </rte></gpx>"#,
    );
    let positions: Vec<_> = read(&file).unwrap().iter().map(position).collect();
    assert_eq!(positions[0].device_id.as_str(), "route-1");
    assert_eq!(positions[0].speed.map(Speed::kmh), Some(36.0));
    assert_eq!(positions[1].speed.map(Speed::kmh), Some(0.0));
    assert_eq!(positions[1].heading, None, "standing has no direction");
}

#[test]
fn gpx_that_is_not_understood_names_the_line() {
    for (name, content, expected) in [
        ("latitude.gpx", TWO_CARS.replace("55.0002", "north"), 7),
        ("cut.gpx", TWO_CARS[..TWO_CARS.find("<trkseg>").unwrap()].to_owned(), 5),
        ("page.html", "<!DOCTYPE html>\n<html><body>404</body></html>".to_owned(), 2),
    ] {
        let file = Scratch::with(name, content);
        match read(&file) {
            Err(RecordingError::Gpx { line, .. }) => assert_eq!(line, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn gpx_that_is_cut_off_while_packed_is_incomplete() {
    let packed = gzip(TWO_CARS);
    let file = Scratch::with("cut.gpx.gz", &packed[..packed.len() - 20]);
    assert!(matches!(read(&file), Err(RecordingError::Incomplete { .. })), "{:?}", read(&file));
}

#[test]
fn gpx_without_times_is_no_recording() {
    let content = r#"<gpx version="1.1" creator="test"><trk><trkseg><trkpt lat="1" lon="2"></trkpt></trkseg></trk></gpx>"#;
    let file = Scratch::with("no_times.gpx", content);
    assert!(matches!(read(&file), Err(RecordingError::NoTimes { .. })));
}
