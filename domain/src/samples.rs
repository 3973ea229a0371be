//! Readable sample values for tests.

use crate::{
    Altitude, Attributes, Coordinates, DeviceId, Heading, Mark, MarkId, NewMark, Position, Priority, Ruling,
    Span, Speed, Timestamp, Words,
};

/// Builds a [`Position`]; starts from one that has no fault.
#[derive(Debug, Clone)]
pub struct PositionBuilder(Position);

/// A good position: device `356307042441013` near Vilnius on 2026-05-01T10:00:00Z, received at once.
///
/// # Panics
/// Never: its values are valid.
#[must_use]
pub fn position() -> PositionBuilder {
    let ts = at("2026-05-01T10:00:00Z");
    PositionBuilder(Position {
        device_id: device(356_307_042_441_013),
        ts,
        received_at: ts,
        coordinates: Coordinates::new(54.714_636_8, 25.303_224_5).expect("finite"),
        altitude: Altitude::from_metres(111.0),
        heading: Heading::from_degrees(214.0),
        speed: Speed::from_kmh(45.0),
        satellites: Some(13),
        priority: Priority::Low,
        attributes: Attributes::from_canonical_json(r#"{"66":12345,"239":1}"#),
    })
}

/// The device whose id is this number, in 15 digits.
///
/// # Panics
/// If the number has more digits than a device id can have.
#[must_use]
pub fn device(number: u64) -> DeviceId {
    DeviceId::parse(&format!("{number:015}")).expect("digits are a device id")
}

/// The moment of this RFC 3339 text.
///
/// # Panics
/// If it is not RFC 3339.
#[must_use]
pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("RFC 3339")
}

impl PositionBuilder {
    /// Of the device with this number.
    #[must_use]
    pub fn device(mut self, number: u64) -> Self {
        self.0.device_id = device(number);
        self
    }

    /// At this device time (RFC 3339), received at the same moment.
    #[must_use]
    pub fn ts(self, text: &str) -> Self {
        let ts = at(text);
        self.at_moment(ts)
    }

    /// At this device time, received at the same moment.
    #[must_use]
    pub fn at_moment(mut self, ts: Timestamp) -> Self {
        self.0.ts = ts;
        self.0.received_at = ts;
        self
    }

    /// Received at this moment (RFC 3339).
    #[must_use]
    pub fn received_at(mut self, text: &str) -> Self {
        self.0.received_at = at(text);
        self
    }

    /// At this place, in degrees.
    ///
    /// # Panics
    /// If a coordinate is not finite.
    #[must_use]
    pub fn at(mut self, latitude: f64, longitude: f64) -> Self {
        self.0.coordinates = Coordinates::new(latitude, longitude).expect("finite");
        self
    }

    /// With this speed in km/h.
    #[must_use]
    pub fn speed(mut self, kmh: f32) -> Self {
        self.0.speed = Speed::from_kmh(kmh);
        self
    }

    /// With so many satellites.
    #[must_use]
    pub fn satellites(mut self, count: Option<u8>) -> Self {
        self.0.satellites = count;
        self
    }

    /// With this priority.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.0.priority = priority;
        self
    }

    /// With these attributes (canonical JSON).
    #[must_use]
    pub fn attributes(mut self, json: &str) -> Self {
        self.0.attributes = Attributes::from_canonical_json(json);
        self
    }

    /// The position.
    #[must_use]
    pub fn build(self) -> Position {
        self.0
    }
}

/// These words.
///
/// # Panics
/// If they are no words.
#[must_use]
pub fn words(text: &str) -> Words {
    Words::new(text).expect("a few words")
}

/// A mark to be made on the device with this number, from one moment up to another.
///
/// # Panics
/// If there is no moment in between.
#[must_use]
pub fn new_mark(device_number: u64, from: Timestamp, to: Timestamp, ruling: Ruling) -> NewMark {
    NewMark {
        device_id: device(device_number),
        span: Span::new(from, to).expect("it ends after it begins"),
        ruling,
        by: words("race control"),
        why: words("tracker in another car"),
    }
}

/// A mark that was made.
///
/// # Panics
/// If there is no moment in it.
#[must_use]
pub fn mark(id: i64, device_number: u64, from: Timestamp, to: Timestamp, ruling: Ruling) -> Mark {
    Mark { id: MarkId(id), said: new_mark(device_number, from, to, ruling), at: to, taken_back: None }
}
