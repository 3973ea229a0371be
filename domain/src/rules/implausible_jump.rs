use super::Rule;
use crate::{DeviceState, Fault, Faults, Fix, Position, distance_at_most_m, distance_m};

/// Farther from the last good fix than a car can have gone in the time between.
///
/// One wild fix must not lock a device out: when the next fix agrees with the doubted one, the device really
/// is there and is believed. So of two fixes in a row that agree with each other, at most the first is marked.
#[derive(Debug, Clone, Copy)]
pub struct ImplausibleJump {
    /// No car is faster than this.
    pub max_speed_kmh: f64,
    /// Distance granted for the errors of two fixes.
    pub tolerance_m: f64,
}

impl Default for ImplausibleJump {
    /// 300 km/h, and 100 m for the fixes' own errors.
    fn default() -> Self {
        Self { max_speed_kmh: 300.0, tolerance_m: 100.0 }
    }
}

impl ImplausibleJump {
    fn plausible(&self, from: Fix, to: &Position) -> bool {
        let seconds = to.ts.since(from.ts).max(from.ts.since(to.ts)).as_secs_f64();
        let reach_m = self.max_speed_kmh / 3.6 * seconds + self.tolerance_m;
        let (from, to) = (from.coordinates(), to.coordinates);
        distance_at_most_m(from, to) <= reach_m || distance_m(from, to) <= reach_m
    }
}

impl Rule for ImplausibleJump {
    fn name(&self) -> &'static str {
        Fault::ImplausibleJump.name()
    }

    fn judge(&self, before: &DeviceState, position: &Position, so_far: Faults) -> Faults {
        if so_far.faulty() || before.last_good().is_none_or(|last| self.plausible(last, position)) {
            return Faults::NONE;
        }
        let confirmed = before
            .doubted()
            .is_some_and(|doubted| position.ts > doubted.ts && self.plausible(doubted, position));
        if confirmed { Faults::NONE } else { Fault::ImplausibleJump.into() }
    }
}
