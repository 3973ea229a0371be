use super::Rule;
use crate::{DeviceState, Fault, Faults, Position};

/// There is no such place on Earth: the integers of the tracker reach to ±214 degrees.
#[derive(Debug, Clone, Copy)]
pub struct OutOfRange;

impl Rule for OutOfRange {
    fn name(&self) -> &'static str {
        Fault::OutOfRange.name()
    }

    fn judge(&self, _: &DeviceState, position: &Position, _: Faults) -> Faults {
        if position.coordinates.on_earth() { Faults::NONE } else { Fault::OutOfRange.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn table() {
        for (latitude, longitude, found) in [
            (90.0, 180.0, false),
            (-90.0, -180.0, false),
            (90.1, 0.0, true),
            (0.0, 180.1, true),
            (-91.0, 0.0, true),
        ] {
            let position = samples::position().at(latitude, longitude).build();
            let faults = OutOfRange.judge(&DeviceState::default(), &position, Faults::NONE);
            assert_eq!(faults.contains(Fault::OutOfRange), found, "{latitude} {longitude}");
        }
    }
}
