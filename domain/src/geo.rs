//! Distances on the Earth.

use crate::position::Coordinates;

/// Mean radius of the Earth in metres (IUGG R1).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Great-circle distance in metres (haversine).
///
/// Off by up to 0.56 % against the ellipsoid: good for plausibility, not for timing or odometers.
#[must_use]
pub fn distance_m(a: Coordinates, b: Coordinates) -> f64 {
    let (lat_a, lat_b) = (a.latitude().to_radians(), b.latitude().to_radians());
    let half_lat = (lat_b - lat_a) / 2.0;
    let half_lon = (b.longitude() - a.longitude()).to_radians() / 2.0;
    let h = half_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
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
    }
}
