use std::fmt;
use std::str::FromStr;

use processor_domain::EntryId;

/// Where dead letters are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On a stream beside the one that they came from.
    Stream,
    /// In a table of the database, for when the stream was full.
    Table,
}

impl Place {
    /// Every place, in the order in which letters of the same moment are listed.
    pub const ALL: [Self; 2] = [Self::Stream, Self::Table];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Table => "table",
        }
    }
}

/// Which letter: `<place>:<id there>:<stream>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId {
    /// Where it is kept.
    pub place: Place,
    /// By what it is known there.
    pub id: EntryId,
    /// The stream that its record came from.
    pub stream: Box<str>,
}

/// The text is not the id of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a dead letter, such as stream:1777629600000-0:telemetry:teltonika")]
pub struct InvalidDeadLetterId;

impl fmt::Display for DeadLetterId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.place.name(), self.id, self.stream)
    }
}

impl FromStr for DeadLetterId {
    type Err = InvalidDeadLetterId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(InvalidDeadLetterId);
        let (place, id, stream) = (part()?, part()?, part()?);
        let place = Place::ALL.into_iter().find(|known| known.name() == place).ok_or(InvalidDeadLetterId)?;
        let id: EntryId = id.parse().map_err(|_| InvalidDeadLetterId)?;
        let id = Self { place, id, stream: stream.into() };
        // One letter has one id: not `1` for `1-0`, nor `+1-0`.
        if stream.is_empty() || id.to_string() != text { Err(InvalidDeadLetterId) } else { Ok(id) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "stream",
            "stream:1-0",
            "stream:1-0:",
            "stream:1:a",
            "stream:+1-0:a",
            "shelf:1-0:a",
            "stream:x:a",
            ":1-0:a",
        ] {
            assert_eq!(text.parse::<DeadLetterId>(), Err(InvalidDeadLetterId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_letter(millis: u64, sequence: u64, stream in ".+", table: bool) {
            let place = Place::ALL[usize::from(table)];
            let id = DeadLetterId { place, id: EntryId { millis, sequence }, stream: stream.into() };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn any_text_is_an_id_that_reads_the_same_or_none(text in "(stream|table|x)?:?[0-9-]{0,8}:?.{0,4}") {
            if let Ok(id) = text.parse::<DeadLetterId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
