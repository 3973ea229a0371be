use std::fmt;
use std::str::FromStr;

use processor_domain::{DeadLetterMark, Timestamp};

/// Between two marks of a cursor.
const BETWEEN: char = '~';

/// Where to go on, in each of several sources of letters. As text it is a cursor, of characters that need no
/// quoting in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress(pub(super) Vec<Reached>);

/// How far one source was gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reached {
    /// The last letter that was dealt with; `None` before the first.
    pub(super) mark: Option<DeadLetterMark>,
    /// Letters kept later than this are not meant.
    pub(super) until: Option<Timestamp>,
    /// Whether there is nothing more behind it.
    pub(super) end: bool,
}

/// The text is not a cursor that was given out for what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that was given out for the same filter")]
pub struct InvalidCursor;

impl Progress {
    /// Where to begin in so many sources.
    pub(super) fn beginning(sources: usize) -> Self {
        Self(vec![Reached::default(); sources])
    }

    /// A cursor that was given out, for so many sources.
    pub(super) fn of(cursor: Option<Self>, sources: usize) -> Result<Self, InvalidCursor> {
        match cursor {
            None => Ok(Self::beginning(sources)),
            Some(progress) if progress.0.len() == sources => Ok(progress),
            Some(_) => Err(InvalidCursor),
        }
    }

    /// Itself, if there is anything left to do.
    pub(super) fn unfinished(self) -> Option<Self> {
        if self.0.iter().all(|reached| reached.end) { None } else { Some(self) }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Reached { mark, until, end }) in self.0.iter().enumerate() {
            if number > 0 {
                write!(out, "{BETWEEN}")?;
            }
            if *end {
                write!(out, ".")?;
                continue;
            }
            match mark {
                Some(DeadLetterMark { kept_at, id }) => write!(out, "{}_{id}", kept_at.micros())?,
                None => write!(out, "-_-")?,
            }
            if let Some(until) = until {
                write!(out, "_{}", until.micros())?;
            }
        }
        Ok(())
    }
}

impl FromStr for Progress {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(BETWEEN).map(reached).collect::<Option<_>>().map(Self).ok_or(InvalidCursor)
    }
}

fn reached(text: &str) -> Option<Reached> {
    if text == "." {
        return Some(Reached { end: true, ..Reached::default() });
    }
    let mut parts = text.split('_');
    let (kept_at, id, until) = (parts.next()?, parts.next()?, parts.next());
    let mark = match (kept_at, id) {
        ("-", "-") => None,
        (kept_at, id) => Some(DeadLetterMark { kept_at: moment(kept_at)?, id: id.parse().ok()? }),
    };
    let until = match until {
        Some(until) => Some(moment(until)?),
        None => None,
    };
    parts.next().is_none().then_some(Reached { mark, until, end: false })
}

/// A moment between 1970 and 9999: no letter was kept at another, and not every place can be asked for it.
fn moment(micros: &str) -> Option<Timestamp> {
    const LATEST: i64 = 253_402_300_799_999_999;
    micros.parse().ok().filter(|micros| (0..=LATEST).contains(micros)).map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use processor_domain::EntryId;
    use proptest::prelude::*;

    use super::*;

    fn some_reached() -> impl Strategy<Value = Reached> {
        let moment = (0_i64..253_402_300_800_000_000).prop_map(Timestamp::from_micros);
        let id = (any::<u64>(), any::<u64>()).prop_map(|(millis, sequence)| EntryId { millis, sequence });
        let mark = (moment.clone(), id).prop_map(|(kept_at, id)| DeadLetterMark { kept_at, id });
        prop_oneof![
            Just(Reached { end: true, ..Reached::default() }),
            (prop::option::of(mark), prop::option::of(moment)).prop_map(|(mark, until)| Reached {
                mark,
                until,
                end: false
            }),
        ]
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_place_to_go_on(reached in prop::collection::vec(some_reached(), 1..5)) {
            let progress = Progress(reached);
            let text = progress.to_string();
            prop_assert!(text.chars().all(|c| c.is_ascii_digit() || "-._~".contains(c)), "{}", text);
            prop_assert_eq!(text.parse(), Ok(progress));
        }

        #[test]
        fn any_text_is_a_cursor_or_none(text in "[0-9~._-]{0,40}") {
            drop(text.parse::<Progress>());
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in
            ["", "1", "1_", "1_x", "_1-0", "-1_1-0", "1_1-0_", "1_1-0_2_3", ".~", "999999999999999999_1-0"]
        {
            assert_eq!(text.parse::<Progress>(), Err(InvalidCursor), "{text}");
        }
    }

    #[test]
    fn a_cursor_is_for_as_many_sources_as_it_was_given_out_for() {
        let two: Progress = ".~5_1-0".parse().unwrap();
        assert_eq!(Progress::of(Some(two.clone()), 2), Ok(two.clone()));
        assert_eq!(Progress::of(Some(two), 3), Err(InvalidCursor));
        assert_eq!(Progress::of(None, 3), Ok(Progress::beginning(3)));
    }
}
