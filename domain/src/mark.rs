//! What an operator says of positions.

use std::fmt;

use crate::{DeviceId, Span, Timestamp};

/// What is said of positions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ruling {
    /// They do not say where the car was, though no rule found it out.
    Faulty,
    /// They do, whatever the rules found.
    Good,
}

/// A mark to be made: what an operator says of all positions of a device in a span of device time, of those that
/// are there and of those that come later.
///
/// Where several speak of the same position, the one made last counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMark {
    /// Whose positions.
    pub device_id: DeviceId,
    /// Of which device time.
    pub span: Span,
    /// What is said of them.
    pub ruling: Ruling,
    /// Who says so.
    pub by: Words,
    /// Why.
    pub why: Words,
}

/// A mark that was made. It is never deleted: one that does not count any more was taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its number; a later one is higher.
    pub id: MarkId,
    /// What was said.
    pub said: NewMark,
    /// When it was made.
    pub at: Timestamp,
    /// That it does not count any more.
    pub taken_back: Option<TakenBack>,
}

/// Who took a mark back, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenBack {
    /// Who.
    pub by: Words,
    /// When.
    pub at: Timestamp,
}

/// Which mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MarkId(pub i64);

/// How many changes of marks there had been: whoever has seen those up to one asks for those after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Revision(pub i64);

/// A few words of a person: one line that is not empty.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Words(Box<str>);

/// The text is not a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to {max} characters in one line are wanted", max = Words::MAX_LENGTH)]
pub struct InvalidWords;

impl Words {
    /// Longest text accepted, in characters.
    pub const MAX_LENGTH: usize = 500;

    /// Checks `text` and keeps it, without white space at its ends.
    ///
    /// # Errors
    /// [`InvalidWords`] if nothing is left, it is too long, or has control characters.
    pub fn new(text: &str) -> Result<Self, InvalidWords> {
        let text = text.trim();
        let few = !text.is_empty() && text.chars().count() <= Self::MAX_LENGTH;
        if few && !text.chars().any(char::is_control) { Ok(Self(text.into())) } else { Err(InvalidWords) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_that_is_not_empty() {
        assert_eq!(Words::new(" wrong car ").map(|words| words.as_str().to_owned()), Ok("wrong car".into()));
        for text in ["", "  ", "a\nb", "a\u{0}", &"é".repeat(501)] {
            assert_eq!(Words::new(text), Err(InvalidWords), "{text:?}");
        }
        assert!(Words::new(&"é".repeat(500)).is_ok());
    }
}
