use std::time::Duration;

use super::Rule;
use crate::{DeviceState, Fault, Faults, Position, Timestamp};

/// Device time against the time of receipt: from the future, from before there were such trackers, or late.
#[derive(Debug, Clone, Copy)]
pub struct DeviceClock {
    /// How far ahead of the receipt a device's clock may be.
    pub ahead: Duration,
    /// How long after the measurement a position may be received without being late.
    pub late_after: Duration,
    /// Before this moment no position can have been measured.
    pub earliest: Timestamp,
}

impl Default for DeviceClock {
    /// 60 s ahead, late after 60 s, nothing before 2015: a clock that was reset starts in 1970, 1980 or 2000,
    /// and one whose GPS week rolled over is 19.6 years behind.
    fn default() -> Self {
        Self {
            ahead: Duration::from_mins(1),
            late_after: Duration::from_mins(1),
            earliest: Timestamp::from_millis(1_420_070_400_000),
        }
    }
}

impl Rule for DeviceClock {
    fn name(&self) -> &'static str {
        "device_clock"
    }

    fn judge(&self, _: &DeviceState, position: &Position, _: Faults) -> Faults {
        let mut faults = Faults::NONE;
        if position.ts.since(position.received_at) > self.ahead {
            faults = faults.with(Fault::Future);
        }
        if position.ts < self.earliest {
            faults = faults.with(Fault::Ancient);
        }
        if position.received_at.since(position.ts) > self.late_after {
            faults = faults.with(Fault::Late);
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn table() {
        let received = "2026-05-01T10:00:00Z";
        for (ts, expected) in [
            ("2026-05-01T10:00:00Z", Faults::NONE),
            ("2026-05-01T10:01:00Z", Faults::NONE),
            ("2026-05-01T10:01:00.001Z", Fault::Future.into()),
            ("2026-05-01T09:59:00Z", Faults::NONE),
            ("2026-05-01T09:58:59.999Z", Fault::Late.into()),
            ("2015-01-01T00:00:00Z", Fault::Late.into()),
            ("2006-09-15T00:00:00Z", Faults::from_iter([Fault::Ancient, Fault::Late])),
        ] {
            let position = samples::position().ts(ts).received_at(received).build();
            let faults = DeviceClock::default().judge(&DeviceState::default(), &position, Faults::NONE);
            assert_eq!(faults, expected, "{ts}");
        }
    }
}
