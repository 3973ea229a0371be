//! Which event.

use std::fmt;
use std::sync::Arc;

/// The id of an event in the CMS: a UUID, a number, or another plain word.
///
/// Only letters, digits, `-` and `_`: it can be put into the path of a URL as it is, and cannot mean another
/// place there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Arc<str>);

/// The text cannot be the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id is 1 to 64 letters, digits, dashes and underscores")]
pub struct InvalidEventId;

impl EventId {
    /// Longest id accepted, in bytes.
    pub const MAX_LENGTH: usize = 64;

    /// Checks `text` and keeps it.
    ///
    /// # Errors
    /// [`InvalidEventId`] if it is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<Self, InvalidEventId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(plain) {
            return Err(InvalidEventId);
        }
        Ok(Self(text.into()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "EventId({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_ids_of_a_cms_and_nothing_that_means_something_in_a_url() {
        for text in ["42", "0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d", "rally_1"] {
            assert_eq!(EventId::parse(text).map(|id| id.to_string()), Ok(text.to_owned()));
        }
        let hostile = [
            "",
            "../users/me",
            "..",
            "a/b",
            "a?b",
            "a#b",
            "a%2fb",
            "a b",
            "a\n",
            "é",
            "a\u{0}",
            "*",
            "1&2",
            &"1".repeat(65),
        ];
        for text in hostile {
            assert_eq!(EventId::parse(text), Err(InvalidEventId), "{text:?}");
        }
    }
}
