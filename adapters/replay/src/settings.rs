//! How a recording is to be played.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// Longer than anybody waits, and short enough to be added to any moment.
const FOREVER: Duration = Duration::from_hours(24 * 365 * 10);

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// This many times as fast as it was recorded; finite and more than 0.
    Multiple(f64),
    /// As fast as the stream takes it.
    Max,
}

/// The text is no pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pace is a multiple of real time that is more than 0, or `max`")]
pub struct InvalidPace;

impl Pace {
    /// This pace, if it is one.
    ///
    /// # Errors
    /// [`InvalidPace`] if the multiple is not finite or not more than 0.
    pub(crate) fn checked(self) -> Result<Self, InvalidPace> {
        match self {
            Self::Multiple(multiple) if !(multiple.is_finite() && multiple > 0.0) => Err(InvalidPace),
            pace => Ok(pace),
        }
    }

    /// How long it takes to play so much of a recording.
    pub(crate) fn time_for(self, recorded: Duration) -> Duration {
        match self {
            Self::Multiple(multiple) => Duration::try_from_secs_f64(recorded.as_secs_f64() / multiple)
                .map_or(FOREVER, |time| time.min(FOREVER)),
            Self::Max => Duration::ZERO,
        }
    }

    /// Whether more than a second of the recording is played in a second.
    pub(crate) fn faster_than_real_time(self) -> bool {
        match self {
            Self::Multiple(multiple) => multiple > 1.0,
            Self::Max => true,
        }
    }
}

impl FromStr for Pace {
    type Err = InvalidPace;

    /// Reads `max` or a number.
    fn from_str(text: &str) -> Result<Self, InvalidPace> {
        match text {
            "max" => Ok(Self::Max),
            number => Self::Multiple(number.parse().map_err(|_| InvalidPace)?).checked(),
        }
    }
}

/// How a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplaySettings {
    /// How fast.
    pub pace: Pace,
    /// Whether to begin again at the end, until stopped.
    pub repeat: bool,
    /// Whether to move the times of the records to the present, all by the same amount.
    ///
    /// The first one becomes now. If the pace is faster than real time that would put the others into the
    /// future; then the last one becomes the moment at which it is published and the others lie before it. A
    /// round of a recording that is repeated follows on from the round before; repeated faster than real time,
    /// the records come to lie ahead of the clock, farther with every round.
    pub shift_to_now: bool,
    /// How many records are published at once, at most.
    pub batch: NonZeroUsize,
}

impl Default for ReplaySettings {
    /// In real time, once, with the times as they are; a thousand at once, at most.
    fn default() -> Self {
        const BATCH: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");
        Self { pace: Pace::Multiple(1.0), repeat: false, shift_to_now: false, batch: BATCH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_max_or_a_positive_number() {
        assert_eq!("max".parse(), Ok(Pace::Max));
        assert_eq!("0.5".parse(), Ok(Pace::Multiple(0.5)));
        for text in ["", "0", "-1", "NaN", "inf", "fast"] {
            assert_eq!(text.parse::<Pace>(), Err(InvalidPace), "{text:?}");
        }
    }
}
