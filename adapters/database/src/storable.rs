//! What no table can hold, whatever the database, and how a refused row is named.

use std::fmt::Display;

use processor_domain::{Position, Timestamp};

/// The first and the last moment that is stored: the years that RFC 3339 can write. A few numbers beyond are
/// infinite to PostgreSQL, and the rest would spread a hypertable over chunks without end.
pub(crate) const FIRST: Timestamp = Timestamp::from_micros(-62_167_219_200_000_000);
const LAST: Timestamp = Timestamp::from_micros(253_402_300_799_999_999);

/// Why `position` cannot be stored at all, if it cannot.
pub(crate) fn unstorable(position: &Position) -> Option<Box<str>> {
    let within = (FIRST..=LAST).contains(&position.ts);
    (!within).then(|| refusal(position, &"the time is not within the years 0000 to 9999"))
}

/// The text of a refusal: table, device, time and reason.
pub(crate) fn refusal(position: &Position, reason: &dyn Display) -> Box<str> {
    format!("positions: device {} at {}: {reason}", position.device_id, position.ts).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::samples;

    #[test]
    fn a_time_that_no_database_knows_is_refused_with_device_and_reason() {
        assert_eq!(unstorable(&samples::position().build()), None);
        for micros in [i64::MIN, i64::MAX, LAST.micros() + 1, FIRST.micros() - 1] {
            let position = samples::position().at_moment(Timestamp::from_micros(micros)).build();
            let refusal = unstorable(&position).unwrap();
            assert!(refusal.starts_with("positions: device 356307042441013 at "), "{refusal}");
        }
    }
}
