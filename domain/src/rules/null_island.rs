use super::Rule;
use crate::{DeviceState, Fault, Faults, Position};

/// Latitude and longitude are both zero, or the -1e-7 degrees that all-ones integers decode to, which some
/// firmware sends when it lost its fix.
#[derive(Debug, Clone, Copy)]
pub struct NullIsland;

/// Ten times the pattern of all ones; 11 cm on the ground.
const NEAR_ZERO_DEGREES: f64 = 1e-6;

impl Rule for NullIsland {
    fn name(&self) -> &'static str {
        Fault::NullIsland.name()
    }

    fn judge(&self, _: &DeviceState, position: &Position, _: Faults) -> Faults {
        let near_zero = |degrees: f64| degrees.abs() <= NEAR_ZERO_DEGREES;
        let place = position.coordinates;
        if near_zero(place.latitude()) && near_zero(place.longitude()) {
            Fault::NullIsland.into()
        } else {
            Faults::NONE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn table() {
        for (latitude, longitude, found) in [
            (0.0, 0.0, true),
            (-1e-7, -1e-7, true),
            (0.0, 25.0, false),
            (54.0, 0.0, false),
            (2e-6, 0.0, false),
        ] {
            let position = samples::position().at(latitude, longitude).build();
            let faults = NullIsland.judge(&DeviceState::default(), &position, Faults::NONE);
            assert_eq!(faults.contains(Fault::NullIsland), found, "{latitude} {longitude}");
        }
    }
}
