//! How fast the route can be driven.

use crate::Route;

/// What holds a rally car on gravel: sideways, speeding up and slowing down, in metres per second squared.
const SIDEWAYS: f64 = 5.0;
const SPEEDING_UP: f64 = 2.8;
const SLOWING_DOWN: f64 = 4.5;
/// 158 km/h, in metres per second.
const FASTEST: f64 = 44.0;
/// 30 km/h, in metres per second: the slowest a hairpin is taken.
const SLOWEST: f64 = 8.4;

/// The best time in which each place of the route can be reached.
///
/// Bends limit the speed, and so does what can be reached from the bend before and braked down to before the
/// next one. Turned round into a table of times, it says where a car is at any moment without stepping through
/// the moments before.
#[derive(Debug)]
pub(crate) struct SpeedProfile {
    steps: Box<[Step]>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    chainage_m: f64,
    speed_mps: f64,
    seconds: f64,
}

impl SpeedProfile {
    pub(crate) fn of(route: &Route) -> Self {
        let mut steps: Vec<_> = route
            .bends()
            .map(|(chainage_m, curvature)| {
                let speed_mps = (SIDEWAYS / curvature.max(1e-9)).sqrt().clamp(SLOWEST, FASTEST);
                Step { chainage_m, speed_mps, seconds: 0.0 }
            })
            .collect();
        let last = steps.len() - 1;
        // Twice around, so that what the end of the lap says of its start, and the start of the end, is heard.
        for _ in 0..2 {
            for i in 0..last {
                limit(&mut steps, i + 1, i, SPEEDING_UP);
            }
            steps[0].speed_mps = steps[0].speed_mps.min(steps[last].speed_mps);
            for i in (0..last).rev() {
                limit(&mut steps, i, i + 1, SLOWING_DOWN);
            }
            steps[last].speed_mps = steps[last].speed_mps.min(steps[0].speed_mps);
        }
        for i in 0..last {
            let (here, there) = (steps[i], steps[i + 1]);
            let mean_mps = f64::midpoint(here.speed_mps, there.speed_mps);
            steps[i + 1].seconds = here.seconds + (there.chainage_m - here.chainage_m) / mean_mps;
        }
        Self { steps: steps.into() }
    }

    /// Seconds for one lap.
    pub(crate) fn lap_seconds(&self) -> f64 {
        self.steps[self.steps.len() - 1].seconds
    }

    /// Metres from the first start, all laps counted, and speed in metres per second after so many seconds of
    /// driving at the limit.
    pub(crate) fn after(&self, seconds: f64) -> (f64, f64) {
        let laps = (seconds / self.lap_seconds()).floor();
        let into = seconds - laps * self.lap_seconds();
        let next = self.steps.partition_point(|step| step.seconds <= into).clamp(1, self.steps.len() - 1);
        let (here, there) = (self.steps[next - 1], self.steps[next]);
        let share = (into - here.seconds) / (there.seconds - here.seconds);
        let between = |from: f64, to: f64| from + (to - from) * share;
        let lap_m = self.steps[self.steps.len() - 1].chainage_m;
        (laps * lap_m + between(here.chainage_m, there.chainage_m), between(here.speed_mps, there.speed_mps))
    }
}

/// Holds the speed at step `i` to what can be reached from, or braked to, the one at `other`.
fn limit(steps: &mut [Step], i: usize, other: usize, acceleration: f64) {
    let distance_m = (steps[i].chainage_m - steps[other].chainage_m).abs();
    let reachable = (steps[other].speed_mps.powi(2) + 2.0 * acceleration * distance_m).sqrt();
    steps[i].speed_mps = steps[i].speed_mps.min(reachable);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lap_takes_as_long_as_a_rally_stage_of_its_length() {
        let route = Route::new();
        let profile = SpeedProfile::of(&route);
        let mean_kmh = route.length_m() / profile.lap_seconds() * 3.6;
        assert!((75.0..125.0).contains(&mean_kmh), "{mean_kmh} km/h over {} m", route.length_m());
    }

    #[test]
    fn speed_is_the_way_made_and_never_changes_faster_than_a_car_can() {
        let profile = SpeedProfile::of(&Route::new());
        let mut slowest_and_fastest = (f64::MAX, f64::MIN);
        for tenth in 0..30_000 {
            let seconds = f64::from(tenth) / 10.0;
            let ((from_m, speed), (to_m, later)) = (profile.after(seconds), profile.after(seconds + 0.1));
            let derived = (to_m - from_m) / 0.1;
            assert!((derived - speed).abs() < 1.0, "{derived} {speed} after {seconds} s");
            assert!((later - speed).abs() <= 0.1 * SLOWING_DOWN * 1.1, "{speed} {later} after {seconds} s");
            slowest_and_fastest = (slowest_and_fastest.0.min(speed), slowest_and_fastest.1.max(speed));
        }
        assert!(slowest_and_fastest.0 < 15.0 && slowest_and_fastest.1 > 38.0, "{slowest_and_fastest:?}");
    }
}
