//! A moment in time.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in UTC, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Microseconds because that is what `timestamptz` keeps: a key with nanoseconds would come back from the
/// database as another key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// The text is not a moment of time that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time with zone between the years 0000 and 9999")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The moment `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the Unix epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Reads RFC 3339 text (ISO 8601 with a zone). Digits below the microsecond are cut off.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] if the text has no zone, is no date, or its year has not four digits.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidTimestamp> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        Ok(Self(moment.unix_timestamp() * 1_000_000 + i64::from(moment.microsecond())))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        if micros > 0 { Duration::from_micros(micros.unsigned_abs()) } else { Duration::ZERO }
    }

    /// This moment moved on by `duration`; saturates at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This moment moved back by `duration`; saturates at the start of the range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 in UTC with milliseconds (`2026-05-01T10:00:00.000Z`), with microseconds only where there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000) else {
            return write!(out, "{}us", self.0);
        };
        let (year, month, day) = moment.to_calendar_date();
        let (hour, minute, second) = moment.to_hms();
        write!(out, "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month))?;
        match moment.microsecond() {
            micros if micros % 1_000 == 0 => write!(out, ".{:03}Z", micros / 1_000),
            micros => write!(out, ".{micros:06}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_zones_and_cuts_nanoseconds() {
        let at = |text| Timestamp::parse_rfc3339(text).map(Timestamp::micros);
        assert_eq!(at("1970-01-01T00:00:01Z"), Ok(1_000_000));
        assert_eq!(at("1970-01-01T02:00:00.5+02:00"), Ok(500_000));
        assert_eq!(at("1970-01-01T00:00:00.123456789Z"), Ok(123_456));
        assert_eq!(at("1970-01-01T00:00:00"), Err(InvalidTimestamp));
        assert_eq!(at("262000-01-01T00:00:00Z"), Err(InvalidTimestamp));
        assert_eq!(at(""), Err(InvalidTimestamp));
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_moment(micros in -62_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let moment = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse_rfc3339(&moment.to_string()), Ok(moment));
        }

        #[test]
        fn since_is_never_negative_and_undoes_plus(a in -1_000_000_000_000_i64..1_000_000_000_000, d in 0_u64..1_000_000_000) {
            let earlier = Timestamp::from_micros(a);
            let later = earlier.plus(Duration::from_micros(d));
            prop_assert_eq!(later.since(earlier), Duration::from_micros(d));
            prop_assert_eq!(earlier.since(later), Duration::ZERO);
            prop_assert_eq!(later.minus(Duration::from_micros(d)), earlier);
        }
    }
}
