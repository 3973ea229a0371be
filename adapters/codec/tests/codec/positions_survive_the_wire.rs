use std::time::Duration;

use processor_codec::{Limits, RecordCodec};
use processor_domain::{
    Altitude, Attributes, Coordinates, DeviceId, Heading, Position, Priority, Record, Speed, Timestamp,
    samples,
};
use proptest::prelude::*;

use crate::json_text;

#[test]
fn written_as_the_contract_has_it() {
    let text = RecordCodec::encode(&samples::position().build());
    assert_eq!(
        String::from_utf8_lossy(&text),
        concat!(
            r#"{"device_id":"356307042441013","timestamp":"2026-05-01T10:00:00.000Z","latitude":54.7146368,"#,
            r#""longitude":25.3032245,"altitude":111,"angle":214,"speed":45,"satellites":13,"priority":0,"#,
            r#""attributes":{"66":12345,"239":1}}"#
        )
    );
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

/// Any position that the codec can give.
fn positions() -> impl Strategy<Value = Position> {
    let span = Limits::default().earliest.micros()..250_000_000_000_000_000;
    let number = || prop::option::of(any::<f32>());
    (
        ("[!-~]{1,39}", span.clone(), span),
        (finite(), finite()),
        (number(), number(), number(), prop::option::of(any::<u8>())),
        0_i64..3,
        json_text::object(),
    )
        .prop_map(|((device, ts, received_at), (latitude, longitude), numbers, priority, attributes)| {
            let (altitude, heading, speed, satellites) = numbers;
            let moving = satellites != Some(0);
            Position {
                device_id: DeviceId::parse(&device).expect("visible ASCII"),
                ts: Timestamp::from_micros(ts),
                received_at: Timestamp::from_micros(received_at),
                coordinates: Coordinates::new(latitude, longitude).expect("finite"),
                altitude: altitude.and_then(Altitude::from_metres),
                heading: heading
                    .filter(|_| moving)
                    .map(|degrees| degrees % 360.0)
                    .and_then(Heading::from_degrees),
                speed: speed.filter(|_| moving).map(f32::abs).and_then(Speed::from_kmh),
                satellites,
                priority: Priority::from_number(priority),
                attributes: Attributes::from_canonical_json(crate::canonical_of(&attributes)),
            }
        })
}

#[test]
fn bytes_that_look_like_a_big_integer_do_not_become_one() {
    let wire = r#"{"a":{"__buffer_b64":"123n"},"12n":[{"$binary":"123n"},"an","\"12n"]}"#;
    let position = crate::position(crate::record_with(&[("attributes", wire)]));
    assert_eq!(position.attributes.as_json(), r#"{"a":"123n","12n":["123n","an","\"12n"]}"#);
    assert_eq!(crate::position(RecordCodec::encode(&position)), position);
}

proptest! {
    #[test]
    fn and_come_back_as_they_were(position in positions()) {
        let codec = RecordCodec::new(Limits { ahead: Duration::MAX, ..Limits::default() });
        let text = RecordCodec::encode(&position);
        let read = codec.decode(&text, position.received_at, position.received_at);
        prop_assert_eq!(read, Record::Position(position), "{}", String::from_utf8_lossy(&text));
    }
}
