use processor_domain::Timestamp;

use super::*;

fn viewer_told(messages: &[Value]) -> (Picture, anyhow::Result<()>) {
    let mut picture = Picture::default();
    let told = messages.iter().try_for_each(|message| match message["type"].as_str() {
        Some("subscribed") => picture.begin(message),
        _ => picture.take(message),
    });
    (picture, told)
}

fn position(device: &str, second: u32, faulty: bool) -> Value {
    json!({
        "device_id": device, "ts": format!("2026-05-01T10:00:{second:02}.000Z"),
        "latitude": 54.5, "longitude": 25, "faulty": faulty
    })
}

fn subscribed(seq: u64, recovered: bool, snapshot: &[Value]) -> Value {
    json!({
        "type": "subscribed", "epoch": "a", "seq": seq, "recovered": recovered, "snapshot": snapshot,
        "snapshot_complete": true
    })
}

fn frame(seq: u64, positions: &[Value]) -> Value {
    json!({"type": "positions", "seq": seq, "positions": positions})
}

#[test]
fn a_picture_is_the_snapshot_moved_by_the_frames() {
    let (picture, told) = viewer_told(&[
        subscribed(7, false, &[position("1", 1, false), position("2", 1, false)]),
        frame(8, &[position("1", 2, false), position("1", 3, true)]),
        json!({"type": "positions", "seq": 9, "removed": ["2"], "positions": []}),
        json!({"type": "positions", "seq": 20, "conflated": true, "positions": [position("1", 2, false)]}),
        subscribed(21, true, &[]),
        frame(21, &[position("3", 1, false)]),
    ]);
    told.expect("all of it is as promised");
    let ts = |text| Timestamp::parse_rfc3339(text).expect("a moment");
    let expected = [("1", "2026-05-01T10:00:02Z"), ("3", "2026-05-01T10:00:01Z")].map(|(device, moment)| {
        (DeviceId::parse(device).expect("a device"), Whereabouts::new(ts(moment), 54.5, 25.0))
    });
    assert_eq!(picture.cars(), &expected.into());
    assert_eq!((picture.frames(), picture.faulty(), picture.conflated()), (4, 1, 1));
}

#[test]
fn what_is_against_the_promises_is_an_error() {
    let first = subscribed(7, false, &[position("1", 5, false)]);
    let broken = [
        ("frame 9 came after frame 7", frame(9, &[])),
        ("frame 7 came after frame 7", frame(7, &[])),
        ("moved back in time", frame(8, &[position("1", 4, false)])),
        ("moved back in time", frame(8, &[position("1", 5, false)])),
        ("moved back in time", frame(8, &[position("1", 4, true)])),
        ("moved back in time by a snapshot", subscribed(8, false, &[position("1", 4, false)])),
        ("a faulty position", subscribed(8, false, &[position("1", 9, true)])),
        ("not from where it was", subscribed(6, true, &[])),
    ];
    for (expected, message) in broken {
        let error = viewer_told(&[first.clone(), message.clone()]).1.expect_err("it is broken").to_string();
        assert!(error.contains(expected), "{message}: {error}");
    }
}

#[test]
fn whoever_skims_notices_what_is_missing_all_the_same() {
    let conflated =
        r#"{"type":"positions","topic":"event:1","seq":9,"conflated":true,"positions":[{"seq":1}]}"#;
    let next = r#"{"type":"positions","topic":"event:1","seq":10,"positions":[{"device_id":"1"}]}"#;
    let mut picture = Picture::default();
    for message in [conflated, next, r#"{"type":"pong"}"#] {
        picture.skim(message).expect("all of it is as promised");
    }
    assert_eq!((picture.seq(), picture.frames(), picture.conflated()), (10, 2, 1));
    assert!(picture.skim(next).expect_err("it came before").to_string().contains("frame 10 came after"));
}
