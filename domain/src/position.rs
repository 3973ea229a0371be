//! Where a car was, and when.

use crate::{Attributes, DeviceId, Timestamp};

/// One record of a tracker, checked: every number in it is finite and in the range of its type.
///
/// Valid does not mean true: coordinates of a tracker without a fix are valid and false. Those are told apart
/// by [`crate::rules`].
#[derive(Clone, PartialEq, Debug)]
pub struct Position {
    /// Which tracker. With [`Self::ts`] it is the key of the position.
    pub device_id: DeviceId,
    /// Device time: when it was measured, says the tracker.
    pub ts: Timestamp,
    /// When the platform received it: the time in the id of its stream entry.
    pub received_at: Timestamp,
    /// Where.
    pub coordinates: Coordinates,
    /// Height above sea level, if sent.
    pub altitude: Option<Altitude>,
    /// Direction of travel, if sent and usable.
    pub heading: Option<Heading>,
    /// Speed over ground, if sent and usable.
    pub speed: Option<Speed>,
    /// Number of satellites in use, if sent; 0 means no fix.
    pub satellites: Option<u8>,
    /// How urgent the tracker thought it.
    pub priority: Priority,
    /// All else that was sent.
    pub attributes: Attributes,
}

/// A number of a position is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} is not a finite number")]
pub struct InvalidPosition {
    /// Which field.
    pub field: &'static str,
}

/// Latitude and longitude in degrees (WGS 84), both finite.
///
/// They may lie outside ±90 and ±180: the tracker's integers can, and such a position is kept and marked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

impl Coordinates {
    /// # Errors
    /// [`InvalidPosition`] if either is not finite.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, InvalidPosition> {
        match (latitude.is_finite(), longitude.is_finite()) {
            (true, true) => Ok(Self { latitude, longitude }),
            (false, _) => Err(InvalidPosition { field: "latitude" }),
            (true, false) => Err(InvalidPosition { field: "longitude" }),
        }
    }

    /// Degrees, north positive.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees, east positive.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }

    /// Whether there is such a place on Earth.
    #[must_use]
    pub fn on_earth(self) -> bool {
        self.latitude.abs() <= 90.0 && self.longitude.abs() <= 180.0
    }
}

/// Metres above sea level, finite.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Altitude(f32);

impl Altitude {
    /// `None` if `metres` is not finite.
    #[must_use]
    pub fn from_metres(metres: f32) -> Option<Self> {
        metres.is_finite().then_some(Self(metres))
    }

    /// Metres.
    #[must_use]
    pub const fn metres(self) -> f32 {
        self.0
    }
}

/// Degrees clockwise from north, at least 0 and less than 360.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Heading(f32);

impl Heading {
    /// 360 is 0; `None` for anything outside 0 to 360 and for what is not finite.
    #[must_use]
    pub fn from_degrees(degrees: f32) -> Option<Self> {
        match degrees {
            360.0 => Some(Self(0.0)),
            degrees if (0.0..360.0).contains(&degrees) => Some(Self(degrees)),
            _ => None,
        }
    }

    /// Degrees clockwise from north.
    #[must_use]
    pub const fn degrees(self) -> f32 {
        self.0
    }
}

/// Kilometres per hour, at least 0 and finite.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Speed(f32);

impl Speed {
    /// `None` if negative or not finite.
    #[must_use]
    pub fn from_kmh(kmh: f32) -> Option<Self> {
        (kmh.is_finite() && kmh >= 0.0).then_some(Self(kmh))
    }

    /// Kilometres per hour.
    #[must_use]
    pub const fn kmh(self) -> f32 {
        self.0
    }
}

/// How urgent the tracker thought a record; the more urgent are sent first, ahead of older ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum Priority {
    /// Periodic.
    #[default]
    Low = 0,
    /// An event of the tracker's configuration.
    High = 1,
    /// Panic.
    Panic = 2,
}

impl Priority {
    /// The priority with this number; unknown numbers are low.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::High,
            2 => Self::Panic,
            _ => Self::Low,
        }
    }

    /// Its number on the wire and in the database.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_infinite_gets_in(a in any::<f64>(), b in any::<f64>(), c in any::<f32>()) {
            prop_assert_eq!(Coordinates::new(a, b).is_ok(), a.is_finite() && b.is_finite());
            prop_assert!(Altitude::from_metres(c).is_none_or(|altitude| altitude.metres().is_finite()));
            prop_assert!(Heading::from_degrees(c).is_none_or(|heading| (0.0..360.0).contains(&heading.degrees())));
            prop_assert!(Speed::from_kmh(c).is_none_or(|speed| speed.kmh().is_finite() && speed.kmh() >= 0.0));
        }
    }

    #[test]
    fn full_circle_is_north_and_more_is_no_heading() {
        assert_eq!(Heading::from_degrees(360.0).map(Heading::degrees), Some(0.0));
        assert_eq!(Heading::from_degrees(511.0), None);
        assert_eq!(Heading::from_degrees(-204.0), None);
    }
}
