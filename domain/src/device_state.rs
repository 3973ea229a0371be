//! What is known of a device.

use crate::{Coordinates, Fault, Faults, Novelty, Position, Timestamp};

/// What is known of one device before its next position arrives.
///
/// It depends only on the set of positions seen where it matters most: the high-water mark is the maximum of
/// their times in whatever order they came, and an older position never takes the place of a newer one.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct DeviceState {
    /// Newest device time that is not ahead of its receipt.
    high_water: Option<Timestamp>,
    last_good: Option<Fix>,
    /// The last fix that was marked as an implausible jump, until a good one is accepted.
    doubted: Option<Fix>,
}

/// A place at a time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fix {
    /// Device time.
    pub ts: Timestamp,
    latitude_e7: i32,
    longitude_e7: i32,
}

impl Fix {
    /// The fix of a position on Earth; trackers send ten-millionths of a degree, so nothing is lost. `None` for
    /// coordinates that are not on Earth.
    #[must_use]
    pub fn new(ts: Timestamp, coordinates: Coordinates) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "180 degrees times 1e7 fits into 32 bits")]
        let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
        coordinates.on_earth().then(|| Self {
            ts,
            latitude_e7: e7(coordinates.latitude()),
            longitude_e7: e7(coordinates.longitude()),
        })
    }

    /// Where.
    #[must_use]
    pub fn coordinates(self) -> Coordinates {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        // Both are finite because they were integers.
        Coordinates::new(degrees(self.latitude_e7), degrees(self.longitude_e7))
            .unwrap_or_else(|_| unreachable!("integers are finite"))
    }
}

impl DeviceState {
    /// The state of a device of which a store remembers this: the newest time it has, and the newest fix that
    /// is not faulty.
    #[must_use]
    pub const fn remembered(high_water: Option<Timestamp>, last_good: Option<Fix>) -> Self {
        Self { high_water, last_good, doubted: None }
    }

    /// Newest device time seen, positions from the future left out.
    #[must_use]
    pub const fn high_water(&self) -> Option<Timestamp> {
        self.high_water
    }

    /// Newest fix without a fault of geometry.
    #[must_use]
    pub const fn last_good(&self) -> Option<Fix> {
        self.last_good
    }

    /// Newest fix that was found implausible and not yet overruled.
    #[must_use]
    pub const fn doubted(&self) -> Option<Fix> {
        self.doubted
    }

    /// Whether a store is likely to have a position of this device at `ts` already.
    #[must_use]
    pub fn novelty(&self, ts: Timestamp) -> Novelty {
        match self.high_water {
            Some(high_water) if ts > high_water => Novelty::Fresh,
            _ => Novelty::Suspect,
        }
    }

    /// Takes in a position that was judged.
    ///
    /// A time from the future advances nothing: it would make every later position look old. Only a newer fix
    /// without a fault of geometry becomes the last good one.
    pub fn advance(&mut self, position: &Position, faults: Faults) {
        if faults.contains(Fault::Future) {
            return;
        }
        self.high_water = self.high_water.max(Some(position.ts));
        let geometry = faults.intersection(Faults::GEOMETRY);
        let newer = self.last_good.is_none_or(|last| position.ts > last.ts);
        if !newer {
            return;
        }
        let fix = Fix::new(position.ts, position.coordinates);
        if !faults.faulty() {
            self.last_good = fix.or(self.last_good);
            self.doubted = None;
        } else if geometry == Fault::ImplausibleJump.into() {
            self.doubted = fix;
        }
    }
}
