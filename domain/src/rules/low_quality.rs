use super::Rule;
use crate::{DeviceState, Fault, Faults, IoId, Position};

/// A fix, but a poor one: too few satellites for a place in three dimensions, a bad horizontal dilution of
/// precision (IO 182, tenths), or satellite jamming (IO 318 at its highest level).
#[derive(Debug, Clone, Copy)]
pub struct LowQuality {
    /// Fewest satellites of a good fix.
    pub min_satellites: u8,
    /// Largest horizontal dilution of precision of a good fix, in tenths.
    pub max_hdop_tenths: i128,
}

static HDOP_TENTHS: IoId = IoId::new(182);
static JAMMING: IoId = IoId::new(318);
const JAMMING_CRITICAL: i128 = 2;

impl Default for LowQuality {
    /// 4 satellites; dilution of precision up to 5.0.
    fn default() -> Self {
        Self { min_satellites: 4, max_hdop_tenths: 50 }
    }
}

impl Rule for LowQuality {
    fn name(&self) -> &'static str {
        Fault::LowQuality.name()
    }

    fn judge(&self, _: &DeviceState, position: &Position, _: Faults) -> Faults {
        let value = |io_id| position.attributes.integer(io_id);
        let low = position.satellites.is_some_and(|count| count > 0 && count < self.min_satellites)
            || value(&HDOP_TENTHS).is_some_and(|hdop| hdop > self.max_hdop_tenths)
            || value(&JAMMING) == Some(JAMMING_CRITICAL);
        if low { Fault::LowQuality.into() } else { Faults::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn table() {
        for (satellites, attributes, low) in [
            (Some(4), "{}", false),
            (Some(3), "{}", true),
            (Some(0), "{}", false),
            (None, "{}", false),
            (Some(9), r#"{"182":50}"#, false),
            (Some(9), r#"{"182":51}"#, true),
            (Some(9), r#"{"318":1}"#, false),
            (Some(9), r#"{"318":2}"#, true),
        ] {
            let position = samples::position().satellites(satellites).attributes(attributes).build();
            let faults = LowQuality::default().judge(&DeviceState::default(), &position, Faults::NONE);
            assert_eq!(faults.contains(Fault::LowQuality), low, "{satellites:?} {attributes}");
        }
    }
}
