//! A record as the platform's own ingestion writes it.

use std::fmt::Write;

use processor_domain::{DeviceId, Timestamp};

/// What one record says.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) device_id: DeviceId,
    pub(crate) ts: Timestamp,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Whole metres, degrees and kilometres per hour, as trackers send them.
    pub(crate) altitude: i64,
    pub(crate) angle: u64,
    pub(crate) speed: u64,
    pub(crate) satellites: u64,
    pub(crate) priority: u8,
    /// IO values by id, each as JSON text, in the order of the ids.
    pub(crate) io: Vec<(u16, String)>,
}

impl Report {
    /// The text that `JSON.stringify` would give: fields in the order of the writer, no white space, and the
    /// shortest digits of each number.
    pub(crate) fn to_json(&self) -> Box<[u8]> {
        let mut io = String::new();
        for (id, value) in &self.io {
            let comma = if io.is_empty() { "" } else { "," };
            write(&mut io, format_args!("{comma}\"{id}\":{value}"));
        }
        let mut json = String::with_capacity(320 + io.len());
        write(
            &mut json,
            format_args!(
                concat!(
                    r#"{{"device_id":"{device_id}","timestamp":"{ts}","latitude":{latitude},"#,
                    r#""longitude":{longitude},"altitude":{altitude},"angle":{angle},"speed":{speed},"#,
                    r#""satellites":{satellites},"priority":{priority},"attributes":{{{io}}}}}"#
                ),
                device_id = self.device_id,
                ts = self.ts,
                latitude = e7(self.latitude),
                longitude = e7(self.longitude),
                altitude = self.altitude,
                angle = self.angle,
                speed = self.speed,
                satellites = self.satellites,
                priority = self.priority,
                io = io,
            ),
        );
        json.into_bytes().into()
    }
}

/// A number beyond 2^53, in the shape that the writer gives it.
pub(crate) fn bigint(number: u64) -> String {
    format!(r#"{{"__bigint":"{number}"}}"#)
}

/// Bytes in the shape that a Node `Buffer` gives itself when nobody prevents it.
pub(crate) fn buffer(bytes: &[u8]) -> String {
    format!(r#"{{"type":"Buffer","data":{bytes:?}}}"#).replace(", ", ",")
}

/// Trackers count ten-millionths of a degree.
fn e7(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}

fn write(text: &mut String, parts: std::fmt::Arguments<'_>) {
    text.write_fmt(parts).unwrap_or_else(|_| unreachable!("a string takes any text"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_text_that_the_node_writer_gives() {
        let report = Report {
            device_id: DeviceId::parse("004400000000016").unwrap(),
            ts: Timestamp::from_millis(1_777_629_600_000),
            latitude: 54.714_636_812_3,
            longitude: 0.0,
            altitude: 111,
            angle: 214,
            speed: 45,
            satellites: 13,
            priority: 0,
            io: vec![(16, bigint(18_446_744_073_709_551)), (239, "1".into()), (385, buffer(&[1, 255]))],
        };
        assert_eq!(
            std::str::from_utf8(&report.to_json()).unwrap(),
            concat!(
                r#"{"device_id":"004400000000016","timestamp":"2026-05-01T10:00:00.000Z","latitude":54.7146368,"#,
                r#""longitude":0,"altitude":111,"angle":214,"speed":45,"satellites":13,"priority":0,"#,
                r#""attributes":{"16":{"__bigint":"18446744073709551"},"239":1,"#,
                r#""385":{"type":"Buffer","data":[1,255]}}}"#
            )
        );
    }
}
