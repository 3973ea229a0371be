//! Frames of positions: encoded once, sent to everybody who watches.

use bytes::Bytes;
use processor_domain::Faults;
use processor_live::{FrameEncoder, PositionsFrame, Sighting, TopicName};

use crate::text::Text;

/// Bytes for which nearly every position has room.
const ROOM_OF_POSITION: usize = 200;

/// Bytes for which nearly every name of a device has room, with its quotes.
const ROOM_OF_DEVICE: usize = 24;

/// What is left of a frame without its positions and devices.
const ROOM_OF_FRAME: usize = 160;

/// Frames as JSON text, each ready to be written to a WebSocket as it is, with its head; snapshots are text alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonFrames;

impl FrameEncoder for JsonFrames {
    fn positions(&self, frame: &PositionsFrame<'_>) -> Bytes {
        let PositionsFrame { event, seq, removed, positions, conflated } = *frame;
        let room = ROOM_OF_FRAME + removed.len() * ROOM_OF_DEVICE + positions.len() * ROOM_OF_POSITION;
        let mut json = Text::with_room(room);
        json.raw(r#"{"type":"positions","topic":"#).string(TopicName::of(event).as_str());
        json.raw(r#","seq":"#).whole(seq);
        if conflated {
            json.raw(r#","conflated":true"#);
        }
        if !removed.is_empty() {
            json.raw(r#","removed":["#);
            json.list(removed, |json, device| {
                json.string(device.as_str());
            });
            json.raw("]");
        }
        json.raw(r#","positions":["#).list(positions, position).raw("]}");
        json.into_frame()
    }

    fn snapshot(&self, positions: &[Sighting]) -> Bytes {
        let mut json = Text::with_room(2 + positions.len() * ROOM_OF_POSITION);
        json.raw("[").list(positions, position).raw("]");
        json.into_text()
    }
}

/// One position; what is not known of it is left out.
fn position(json: &mut Text, sighting: &Sighting) {
    json.raw(r#"{"device_id":"#).string(sighting.device_id.as_str());
    json.raw(r#","ts":"#).shown(sighting.ts);
    json.raw(r#","latitude":"#).number(sighting.coordinates.latitude());
    json.raw(r#","longitude":"#).number(sighting.coordinates.longitude());
    if let Some(altitude) = sighting.altitude {
        json.raw(r#","altitude":"#).number(altitude.metres());
    }
    if let Some(heading) = sighting.heading {
        json.raw(r#","angle":"#).number(heading.degrees());
    }
    if let Some(speed) = sighting.speed {
        json.raw(r#","speed":"#).number(speed.kmh());
    }
    if let Some(satellites) = sighting.satellites {
        json.raw(r#","satellites":"#).whole(u64::from(satellites));
    }
    json.raw(r#","faulty":"#).bool(sighting.faulty());
    faults(json, sighting.faults);
    json.raw("}");
}

/// What is wrong with a position, as a member that follows others; nothing if nothing is.
pub(crate) fn faults(json: &mut Text, faults: Faults) {
    if faults.is_empty() {
        return;
    }
    json.raw(r#","faults":["#);
    for (at, fault) in faults.iter().enumerate() {
        json.raw(if at == 0 { "\"" } else { ",\"" }).raw(fault.name()).raw("\"");
    }
    json.raw("]");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::golden::text_in;
    use processor_domain::{Coordinates, DeviceId, EventId, Timestamp, samples};
    use proptest::prelude::*;
    use serde_json::Value;

    fn frame_of(positions: &[Sighting]) -> Value {
        let event = EventId::parse("42").unwrap();
        let frame = PositionsFrame { event: &event, seq: 1, removed: &[], positions, conflated: false };
        serde_json::from_slice(text_in(&JsonFrames.positions(&frame))).expect("it is JSON")
    }

    #[test]
    fn a_device_with_quotes_in_its_name_breaks_nothing() {
        let mut sighting = Sighting::stored(&samples::position().build());
        sighting.device_id = DeviceId::parse(r#"a"b\c"#).unwrap();
        assert_eq!(frame_of(&[sighting])["positions"][0]["device_id"], r#"a"b\c"#);
    }

    proptest! {
        #[test]
        fn whatever_a_position_is_its_frame_is_json(
            latitude in any::<f64>(),
            longitude in any::<f64>(),
            micros in any::<i64>(),
            bits in any::<u16>(),
        ) {
            let mut sighting = Sighting::stored(&samples::position().build());
            sighting.ts = Timestamp::from_micros(micros);
            sighting.faults = Faults::from_bits(bits);
            let Ok(coordinates) = Coordinates::new(latitude, longitude) else { return Ok(()) };
            sighting.coordinates = coordinates;
            let position = &frame_of(&[sighting])["positions"][0];
            prop_assert!(position["latitude"].is_number());
            prop_assert!(position["longitude"].is_number());
            prop_assert!(position["ts"].is_string());
            prop_assert_eq!(position["faulty"].as_bool(), Some(sighting.faulty()));
            let names = position["faults"].as_array().map_or(0, Vec::len);
            prop_assert_eq!(names, sighting.faults.iter().count());
        }
    }
}
