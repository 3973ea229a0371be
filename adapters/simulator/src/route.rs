//! Where the rally goes.

use std::f64::consts::TAU;

/// Radius of the sphere on which the route is laid out, in metres: that of
/// [`distance_m`](processor_domain::distance_m), so that distances along the route and between fixes agree.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Middle of the route: lakes and gravel roads north of Vilnius.
const CENTRE: (f64, f64) = (55.05, 25.30);
const RADIUS_M: f64 = 4_100.0;

/// How often around the loop, by which share of the radius and with which phase the road swings in and out.
///
/// The slow waves give the shape, the quick ones the bends. Their shares add up to less than one, so the radius
/// stays positive and the loop cannot cross itself.
const SWINGS: [(f64, f64, f64); 7] = [
    (2.0, 0.20, 0.4),
    (3.0, 0.11, 2.1),
    (5.0, 0.06, 4.4),
    (13.0, 0.030, 1.0),
    (31.0, 0.014, 5.2),
    // Together they come and go: straights between groups of tight bends.
    (71.0, 0.0055, 3.3),
    (83.0, 0.0050, 0.7),
];

/// How often around the loop, by how many metres and with which phase the road rises and falls.
const HILLS: [(f64, f64, f64); 3] = [(2.0, 34.0, 1.2), (7.0, 14.0, 0.3), (19.0, 4.0, 2.5)];
const MEAN_ALTITUDE_M: f64 = 168.0;

/// Steps into which the loop is divided for measuring it: about two metres each.
const STEPS: u32 = 16_000;

/// Every how many steps there is a point for a map: about twenty metres.
const STEPS_PER_POINT: usize = 10;

/// A closed road of some thirty kilometres, given by a formula: any place on it can be computed on its own.
#[derive(Debug, Clone)]
pub struct Route {
    /// Metres from the start to each step; one more than there are steps, the last one is the whole length.
    chainage_m: Box<[f64]>,
    points: Box<[(f64, f64)]>,
}

/// A place on the route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
    /// Metres above sea level.
    pub altitude_m: f64,
    /// Direction of travel in degrees clockwise from north, at least 0 and less than 360.
    pub heading_degrees: f64,
}

impl Route {
    /// The route of every rally here.
    #[must_use]
    pub fn new() -> Self {
        let mut chainage_m = vec![0.0];
        let mut before = Bend::at(0.0);
        for step in 1..=STEPS {
            let bend = Bend::at(angle_of(f64::from(step)));
            chainage_m.push(chainage_m[chainage_m.len() - 1] + (bend.x - before.x).hypot(bend.y - before.y));
            before = bend;
        }
        let points = (0..=STEPS)
            .step_by(STEPS_PER_POINT)
            .map(|step| {
                let bend = Bend::at(angle_of(f64::from(step % STEPS)));
                degrees(bend.x, bend.y)
            })
            .collect();
        Self { chainage_m: chainage_m.into(), points }
    }

    /// Length of the loop in metres.
    #[must_use]
    pub fn length_m(&self) -> f64 {
        self.chainage_m[self.chainage_m.len() - 1]
    }

    /// Latitude and longitude in degrees of points along the route, about twenty metres apart, in the direction
    /// of travel; the last one is the first one again. `GeoJSON` wants the longitude first.
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The place so many metres along the route from its start; beyond its end, on the next lap.
    #[must_use]
    pub fn at(&self, chainage_m: f64) -> Place {
        self.beside(chainage_m, 0.0, 0.0)
    }

    /// A place so many metres along the route and from there to the east and to the north.
    pub(crate) fn beside(&self, chainage_m: f64, east_m: f64, north_m: f64) -> Place {
        let chainage_m = chainage_m.rem_euclid(self.length_m());
        let step =
            self.chainage_m.partition_point(|&at| at <= chainage_m).clamp(1, self.chainage_m.len() - 1);
        let (from, to) = (self.chainage_m[step - 1], self.chainage_m[step]);
        let angle = angle_of((step - 1) as f64 + (chainage_m - from) / (to - from));
        let bend = Bend::at(angle);
        let (latitude, longitude) = degrees(bend.x + east_m, bend.y + north_m);
        Place {
            latitude,
            longitude,
            altitude_m: altitude_m(angle),
            heading_degrees: bend.dx.atan2(bend.dy).to_degrees().rem_euclid(360.0),
        }
    }

    /// Metres from the start and curvature (the reciprocal of the radius in metres) of each step; the last one
    /// is the first one again.
    pub(crate) fn bends(&self) -> impl ExactSizeIterator<Item = (f64, f64)> {
        let curvature = |step| Bend::at(angle_of(step as f64)).curvature();
        self.chainage_m.iter().enumerate().map(move |(step, &at)| (at, curvature(step)))
    }
}

impl Default for Route {
    fn default() -> Self {
        Self::new()
    }
}

fn angle_of(step: f64) -> f64 {
    step / f64::from(STEPS) * TAU
}

fn altitude_m(angle: f64) -> f64 {
    MEAN_ALTITUDE_M + HILLS.iter().map(|(n, metres, phase)| metres * (n * angle + phase).sin()).sum::<f64>()
}

/// Degrees of the place so many metres east and north of the centre.
fn degrees(east_m: f64, north_m: f64) -> (f64, f64) {
    let (latitude, longitude) = CENTRE;
    let parallel_radius_m = EARTH_RADIUS_M * latitude.to_radians().cos();
    (
        latitude + (north_m / EARTH_RADIUS_M).to_degrees(),
        longitude + (east_m / parallel_radius_m).to_degrees(),
    )
}

/// The road at an angle seen from the centre: metres east (`x`) and north (`y`) of it, and their first and
/// second derivatives by the angle.
struct Bend {
    x: f64,
    y: f64,
    dx: f64,
    dy: f64,
    ddx: f64,
    ddy: f64,
}

impl Bend {
    fn at(angle: f64) -> Self {
        let (mut r, mut dr, mut ddr) = (1.0, 0.0, 0.0);
        for (n, share, phase) in SWINGS {
            let (sin, cos) = (n * angle + phase).sin_cos();
            r += share * cos;
            dr -= share * n * sin;
            ddr -= share * n * n * cos;
        }
        let (r, dr, ddr) = (r * RADIUS_M, dr * RADIUS_M, ddr * RADIUS_M);
        let (sin, cos) = angle.sin_cos();
        Self {
            x: r * cos,
            y: r * sin,
            dx: dr * cos - r * sin,
            dy: dr * sin + r * cos,
            ddx: (ddr - r) * cos - 2.0 * dr * sin,
            ddy: (ddr - r) * sin + 2.0 * dr * cos,
        }
    }

    fn curvature(&self) -> f64 {
        let quickness = self.dx.hypot(self.dy);
        (self.dx * self.ddy - self.dy * self.ddx).abs() / quickness.powi(3)
    }
}

#[cfg(test)]
mod tests {
    use processor_domain::{Coordinates, distance_m};

    use super::*;

    fn apart_m(a: (f64, f64), b: (f64, f64)) -> f64 {
        distance_m(Coordinates::new(a.0, a.1).unwrap(), Coordinates::new(b.0, b.1).unwrap())
    }

    #[test]
    fn is_a_closed_loop_of_twenty_five_to_forty_kilometres() {
        let route = Route::new();
        assert!((25_000.0..40_000.0).contains(&route.length_m()), "{}", route.length_m());
        assert_eq!(route.points().first(), route.points().last());
        assert!(route.points().windows(2).all(|pair| apart_m(pair[0], pair[1]) < 60.0));
    }

    #[test]
    fn never_comes_near_itself_again() {
        let route = Route::new();
        let points = route.points();
        for (i, &a) in points.iter().enumerate().step_by(4) {
            for (j, &b) in points.iter().enumerate().skip(i).step_by(4) {
                let along = (j - i).min(points.len() - 1 - (j - i));
                assert!(
                    along < 12 || apart_m(a, b) > 40.0,
                    "points {i} and {j} are {} m apart",
                    apart_m(a, b)
                );
            }
        }
    }

    #[test]
    fn a_metre_along_the_route_is_a_metre_on_the_ground_in_the_direction_of_the_heading() {
        let route = Route::new();
        for chainage in (0..33_000).step_by(97).map(f64::from) {
            let (here, there) = (route.at(chainage), route.at(chainage + 1.0));
            let moved_m = apart_m((here.latitude, here.longitude), (there.latitude, there.longitude));
            assert!((moved_m - 1.0).abs() < 0.01, "{moved_m} at {chainage}");
            let north = there.latitude - here.latitude;
            let east = (there.longitude - here.longitude) * here.latitude.to_radians().cos();
            let turned =
                (east.atan2(north).to_degrees() - here.heading_degrees + 540.0).rem_euclid(360.0) - 180.0;
            assert!(turned.abs() < 3.0, "{turned} degrees at {chainage}");
        }
    }

    #[test]
    fn goes_on_after_its_end() {
        let route = Route::new();
        let (here, lap_later) = (route.at(1_234.0), route.at(1_234.0 + route.length_m()));
        assert!((here.latitude - lap_later.latitude).abs() < 1e-9);
        assert!((here.longitude - lap_later.longitude).abs() < 1e-9);
    }
}
