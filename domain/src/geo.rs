//! Distances on the Earth.

use crate::position::Coordinates;

/// Mean radius of the Earth in metres (IUGG R1).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Half an angle in radians up to which sine and arcsine are taken as the first two terms of their series: 6 km and
/// more. What is left out is less than a part in 10^14 there.
const NEAR: f64 = 5e-4;

/// Great-circle distance in metres (haversine).
///
/// Off by up to 0.56 % against the ellipsoid: good for plausibility, not for timing or odometers.
#[must_use]
pub fn distance_m(a: Coordinates, b: Coordinates) -> f64 {
    let (half_lat, half_lon) = half_angles(a, b);
    if half_lat.abs() <= NEAR && half_lon.abs() <= NEAR { near_m(a, b) } else { far_m(a, b) }
}

fn far_m(a: Coordinates, b: Coordinates) -> f64 {
    let (half_lat, half_lon) = half_angles(a, b);
    let cosines = a.latitude().to_radians().cos() * b.latitude().to_radians().cos();
    let h = half_lat.sin().powi(2) + cosines * half_lon.sin().powi(2);
    2.0 * EARTH_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
}

/// The same with one cosine instead of five functions that take time.
fn near_m(a: Coordinates, b: Coordinates) -> f64 {
    let (half_lat, half_lon) = half_angles(a, b);
    let sine = |angle: f64| angle * (1.0 - angle * angle / 6.0);
    let squared = sine(half_lat).powi(2);
    // cos a cos b = (cos(a + b) + cos(a - b)) / 2, and cos(a - b) = 1 - 2 sin²((a - b) / 2).
    let cosines = (a.latitude() + b.latitude()).to_radians().cos().midpoint(1.0 - 2.0 * squared);
    let root = (squared + cosines * sine(half_lon).powi(2)).max(0.0).sqrt();
    2.0 * EARTH_RADIUS_M * root * (1.0 + root * root / 6.0)
}

/// What [`distance_m`] is at most, in metres, found without sine and cosine: the way along a meridian and then, as
/// if it were the equator, along a parallel. On the other side of the date line it is far more.
#[must_use]
pub fn distance_at_most_m(a: Coordinates, b: Coordinates) -> f64 {
    let (half_lat, half_lon) = half_angles(a, b);
    2.0 * EARTH_RADIUS_M * (half_lat.abs() + half_lon.abs())
}

/// Half of how far `b` is north and east of `a`, in radians.
fn half_angles(a: Coordinates, b: Coordinates) -> (f64, f64) {
    let half = |degrees: f64| degrees.to_radians() / 2.0;
    (half(b.latitude() - a.latitude()), half(b.longitude() - a.longitude()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Coordinates> {
        (-90.0..=90.0_f64, -180.0..=180.0_f64).prop_map(|(lat, lon)| Coordinates::new(lat, lon).unwrap())
    }

    #[test]
    fn one_degree_of_latitude_is_111_km() {
        let origin = Coordinates::new(54.0, 25.0).unwrap();
        let north = Coordinates::new(55.0, 25.0).unwrap();
        assert!((distance_m(origin, north) - 111_195.0).abs() < 1.0);
    }

    #[test]
    fn the_date_line_is_no_wall() {
        let west = Coordinates::new(0.0, 179.999).unwrap();
        let east = Coordinates::new(0.0, -179.999).unwrap();
        assert!(distance_m(west, east) < 300.0);
    }

    proptest! {
        #[test]
        fn is_a_distance(a in place(), b in place(), c in place()) {
            prop_assert!(distance_m(a, a) < 1e-3);
            prop_assert!((distance_m(a, b) - distance_m(b, a)).abs() < 1e-3);
            prop_assert!(distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 1e-3);
        }

        #[test]
        fn is_never_more_than_it_is_at_most(a in place(), b in place(), near in -0.1..0.1_f64) {
            let c = Coordinates::new((a.latitude() + near).clamp(-90.0, 90.0), a.longitude()).unwrap();
            for other in [b, c] {
                prop_assert!(distance_m(a, other) <= distance_at_most_m(a, other) * (1.0 + 1e-9) + 1e-3);
            }
        }

        #[test]
        fn is_the_same_whether_near_or_not(a in place(), north in -0.06..0.06_f64, east in -0.06..0.06_f64) {
            let (lat, lon) = (a.latitude() + north, a.longitude() + east);
            let b = Coordinates::new(lat.clamp(-90.0, 90.0), lon.clamp(-180.0, 180.0)).unwrap();
            let far = far_m(a, b);
            let off = (distance_m(a, b) - far).abs();
            prop_assert!(off <= far * 1e-9 + 1e-6, "{off} of {far}");
        }
    }
}
