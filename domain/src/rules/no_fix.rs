use super::Rule;
use crate::{DeviceState, Fault, Faults, IoId, Position};

/// The tracker says that it had no satellite fix: no satellites, or a GNSS status other than "fix".
///
/// Teltonika trackers then send the coordinates of their last fix, or zeros after a restart. The status has IO
/// id 69 on most families (1 is a fix) and 71 on the professional line (3 is a fix).
#[derive(Debug, Clone, Copy)]
pub struct NoFix;

static GNSS_STATUS: IoId = IoId::new(69);
const GNSS_STATUS_WITHOUT_FIX: [i128; 3] = [0, 2, 3];
static GNSS_STATUS_PROFESSIONAL: IoId = IoId::new(71);
const PROFESSIONAL_FIX: i128 = 3;

impl Rule for NoFix {
    fn name(&self) -> &'static str {
        Fault::NoFix.name()
    }

    fn judge(&self, _: &DeviceState, position: &Position, _: Faults) -> Faults {
        let status = |io_id| position.attributes.integer(io_id);
        let no_fix = position.satellites == Some(0)
            || status(&GNSS_STATUS).is_some_and(|status| GNSS_STATUS_WITHOUT_FIX.contains(&status))
            || status(&GNSS_STATUS_PROFESSIONAL).is_some_and(|status| status != PROFESSIONAL_FIX);
        if no_fix { Fault::NoFix.into() } else { Faults::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn table() {
        for (satellites, attributes, no_fix) in [
            (Some(9), "{}", false),
            (Some(0), "{}", true),
            (None, "{}", false),
            (Some(9), r#"{"69":1}"#, false),
            (Some(9), r#"{"69":0}"#, true),
            (Some(9), r#"{"69":2}"#, true),
            (Some(9), r#"{"69":3}"#, true),
            (Some(9), r#"{"71":3}"#, false),
            (Some(9), r#"{"71":2}"#, true),
        ] {
            let position = samples::position().satellites(satellites).attributes(attributes).build();
            let faults = NoFix.judge(&DeviceState::default(), &position, Faults::NONE);
            assert_eq!(faults.contains(Fault::NoFix), no_fix, "{satellites:?} {attributes}");
        }
    }
}
