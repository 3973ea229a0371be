use std::time::Duration;

use super::Rule;
use crate::{DeviceState, Fault, Faults, Position, distance_m};

/// The reported speed is one no car has, or disagrees with the way made since the last good fix.
///
/// The place stands; only rules about speed should look away.
#[derive(Debug, Clone, Copy)]
pub struct SpeedPlausibility {
    /// No car reports more than this.
    pub max_speed_kmh: f32,
    /// Over longer times than this the way made says nothing about the speed at its end.
    pub derive_within: Duration,
    /// Least difference that counts.
    pub difference_kmh: f64,
    /// Least difference that counts, as a share of the reported speed.
    pub difference_share: f64,
}

impl Default for SpeedPlausibility {
    /// 400 km/h; over at most 5 s; a difference of more than 30 km/h and of more than half the reported speed.
    fn default() -> Self {
        Self {
            max_speed_kmh: 400.0,
            derive_within: Duration::from_secs(5),
            difference_kmh: 30.0,
            difference_share: 0.5,
        }
    }
}

impl Rule for SpeedPlausibility {
    fn name(&self) -> &'static str {
        "speed_plausibility"
    }

    fn judge(&self, before: &DeviceState, position: &Position, so_far: Faults) -> Faults {
        let Some(speed) = position.speed else { return Faults::NONE };
        if speed.kmh() > self.max_speed_kmh {
            return Fault::SpeedRange.into();
        }
        let Some(last) = before.last_good().filter(|_| !so_far.faulty()) else { return Faults::NONE };
        let elapsed = position.ts.since(last.ts);
        if elapsed.is_zero() || elapsed > self.derive_within {
            return Faults::NONE;
        }
        let derived_kmh = distance_m(last.coordinates(), position.coordinates) / elapsed.as_secs_f64() * 3.6;
        let reported_kmh = f64::from(speed.kmh());
        let limit_kmh = self.difference_kmh.max(self.difference_share * reported_kmh);
        if (derived_kmh - reported_kmh).abs() > limit_kmh {
            Fault::SpeedMismatch.into()
        } else {
            Faults::NONE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fix, samples};

    #[test]
    fn table() {
        // 0.001 degrees of latitude in 4 s are 100 km/h.
        let before = samples::position().ts("2026-05-01T10:00:00Z").at(54.0, 25.0).build();
        let state = DeviceState::remembered(Some(before.ts), Fix::new(before.ts, before.coordinates));
        for (speed, ts, expected) in [
            (100.0, "2026-05-01T10:00:04Z", Faults::NONE),
            (75.0, "2026-05-01T10:00:04Z", Faults::NONE),
            (60.0, "2026-05-01T10:00:04Z", Fault::SpeedMismatch.into()),
            (180.0, "2026-05-01T10:00:04Z", Faults::NONE),
            (210.0, "2026-05-01T10:00:04Z", Fault::SpeedMismatch.into()),
            (210.0, "2026-05-01T10:00:06Z", Faults::NONE),
            (401.0, "2026-05-01T10:00:06Z", Fault::SpeedRange.into()),
        ] {
            let position = samples::position().ts(ts).at(54.001, 25.0).speed(speed).build();
            let faults = SpeedPlausibility::default().judge(&state, &position, Faults::NONE);
            assert_eq!(faults, expected, "{speed} {ts}");
        }
    }
}
