//! Why a payload cannot be a position.

use std::fmt;

use processor_domain::{DeadLetterReason, InvalidDeviceId, Timestamp};

/// Why a payload cannot be a position; its text is for the people who look at dead letters.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{size} bytes are more than the {max} that a record may have")]
    TooLarge { size: usize, max: usize },
    #[error("not UTF-8 text after byte {valid_up_to}")]
    NotText { valid_up_to: usize },
    #[error("not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    #[error("JSON, but not an object: {0}")]
    NotObject(Excerpt),
    #[error("{field} is missing or null")]
    Missing { field: &'static str },
    #[error("device_id is {value}, but {why}")]
    Device { value: Excerpt, why: InvalidDeviceId },
    #[error("device_id is {value}, which is neither text nor a whole number from 0 to 2^53-1")]
    DeviceType { value: Excerpt },
    #[error("timestamp is {value}, which is not RFC 3339 text with a zone")]
    TimeText { value: Excerpt },
    #[error(
        "timestamp is {value}, which is not whole milliseconds since 1970 with 11 to 15 digits, up to the year 9999 \
         (seconds and microseconds are not guessed)"
    )]
    TimeNumber { value: Excerpt },
    #[error("timestamp is {ts}, before {earliest}")]
    TooEarly { ts: Timestamp, earliest: Timestamp },
    #[error("timestamp is {ts}, after {latest}")]
    TooLate { ts: Timestamp, latest: Timestamp },
    #[error("{field} is {value}, which is not a finite number")]
    Coordinate { field: &'static str, value: Excerpt },
    #[error("{field} is {value}, which is not a number")]
    NotNumber { field: &'static str, value: Excerpt },
}

impl Refusal {
    /// The stable code.
    pub(crate) fn reason(&self) -> DeadLetterReason {
        match self {
            Self::TooLarge { .. } => DeadLetterReason::TooLarge,
            Self::NotText { .. } | Self::NotJson(_) | Self::NotObject(_) => DeadLetterReason::NotJson,
            Self::Missing { field: "device_id" } | Self::Device { .. } | Self::DeviceType { .. } => {
                DeadLetterReason::InvalidDevice
            }
            Self::Missing { field: "timestamp" } | Self::TimeText { .. } | Self::TimeNumber { .. } => {
                DeadLetterReason::InvalidTime
            }
            Self::TooEarly { .. } | Self::TooLate { .. } => DeadLetterReason::TimeOutOfSpan,
            Self::Missing { .. } | Self::Coordinate { .. } => DeadLetterReason::InvalidCoordinates,
            Self::NotNumber { .. } => DeadLetterReason::InvalidField,
        }
    }
}

/// The beginning of a value, safe to show: one line, short, without control characters.
#[derive(Debug)]
pub(crate) struct Excerpt(Box<str>);

impl Excerpt {
    /// Longest excerpt in characters; a date or an id with its surroundings.
    const MAX_CHARS: usize = 64;

    /// Of a text as it was sent.
    pub(crate) fn of(text: &str) -> Self {
        let mut chars = text.chars();
        let mut excerpt: String = chars
            .by_ref()
            .take(Self::MAX_CHARS)
            .map(|char| if char.is_control() { ' ' } else { char })
            .collect();
        if chars.next().is_some() {
            excerpt.push('…');
        }
        Self(excerpt.into())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(Excerpt::of("\"a\"").to_string(), "\"a\"");
        assert_eq!(Excerpt::of("[1,\n\t2]\u{7f}\u{0}").to_string(), "[1,  2]  ");
        assert_eq!(Excerpt::of(&"é".repeat(65)).to_string(), format!("{}…", "é".repeat(64)));
    }
}
