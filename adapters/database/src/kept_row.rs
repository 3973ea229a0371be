//! What both databases mean by a position that was kept.

use processor_domain::{
    Altitude, Attributes, Coordinates, DeviceId, Heading, Position, Priority, Speed, Timestamp,
};

/// A row as it was read: of a table that the former service made anything may be null or out of range.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct KeptRow {
    pub(crate) ts: Timestamp,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
    pub(crate) altitude: Option<f64>,
    pub(crate) angle: Option<f64>,
    pub(crate) speed: Option<f64>,
    pub(crate) satellites: Option<i64>,
    pub(crate) priority: Option<i64>,
    pub(crate) ingested_at: Option<Timestamp>,
}

impl KeptRow {
    /// The position of the row, which is of this device, without its attributes; `None` if it has no place. When
    /// the platform received it is not in the table: when it was written comes closest.
    pub(crate) fn position_of(self, device_id: DeviceId) -> Option<Position> {
        Some(Position {
            device_id,
            ts: self.ts,
            received_at: self.ingested_at.unwrap_or(self.ts),
            coordinates: Coordinates::new(self.latitude?, self.longitude?).ok()?,
            altitude: self.altitude.map(single).and_then(Altitude::from_metres),
            heading: self.angle.map(single).and_then(Heading::from_degrees),
            speed: self.speed.map(single).and_then(Speed::from_kmh),
            satellites: self.satellites.and_then(|count| count.try_into().ok()),
            priority: self.priority.map_or(Priority::Low, Priority::from_number),
            attributes: Attributes::default(),
        })
    }
}

/// What is too large becomes infinite, and so no value.
#[expect(clippy::cast_possible_truncation, reason = "a table found may have more digits than are kept")]
const fn single(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::samples;

    fn row() -> KeptRow {
        KeptRow {
            ts: samples::at("2026-05-01T10:00:00Z"),
            latitude: Some(54.714_636_8),
            longitude: Some(25.303_224_5),
            altitude: Some(111.0),
            angle: Some(214.0),
            speed: Some(45.0),
            satellites: Some(13),
            priority: Some(0),
            ingested_at: None,
        }
    }

    #[test]
    fn what_a_row_lacks_or_cannot_mean_is_left_out_of_its_position() {
        let device = samples::position().build().device_id;
        assert_eq!(row().position_of(device), Some(samples::position().attributes("{}").build()));
        let poor = KeptRow {
            altitude: Some(f64::MAX),
            angle: Some(511.0),
            speed: Some(-1.0),
            satellites: Some(1_000),
            priority: None,
            ..row()
        };
        let position = poor.position_of(device).unwrap();
        assert_eq!((position.altitude, position.heading, position.speed), (None, None, None));
        assert_eq!((position.satellites, position.priority), (None, Priority::Low));
    }

    #[test]
    fn a_row_without_a_place_is_no_position() {
        assert_eq!(KeptRow { latitude: None, ..row() }.position_of(samples::device(1)), None);
        assert_eq!(KeptRow { longitude: Some(f64::NAN), ..row() }.position_of(samples::device(1)), None);
    }
}
