use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::AccessError;

/// Why Directus did not say.
///
/// It travels as the cause of [`AccessError::Unknown`], and is shared by all who waited for the same answer.
#[derive(Debug, thiserror::Error)]
pub enum DirectusFailure {
    /// It was not asked: too many questions wait for their turn already, or Directus wants to be left alone.
    #[error("the question would have waited too long for its turn")]
    NoTurn {
        /// When there will be a turn again, about.
        retry_after: Duration,
    },
    /// No answer came in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// There is no connection, or it broke.
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
    /// It answered with a status that says neither yes nor no.
    #[error("the answer has status {status}")]
    Status {
        /// Which.
        status: u16,
        /// When to ask again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The answer is larger than any that was asked for.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The largest that is read.
        limit: usize,
    },
    /// The answer is not JSON.
    #[error("the answer is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The answer is not what was asked for.
    #[error("the answer {0}")]
    Unexpected(&'static str),
}

impl DirectusFailure {
    /// A stable word for what kind of failure it is.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::NoTurn { .. } => "no_turn",
            Self::TimedOut(_) => "timeout",
            Self::Request(_) => "request",
            Self::Status { .. } => "status",
            Self::TooLarge { .. } => "too_large",
            Self::NotJson(_) => "not_json",
            Self::Unexpected(_) => "unexpected",
        }
    }

    /// When to ask again, if that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoTurn { retry_after } => Some(*retry_after),
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The failure as the port tells it.
pub(crate) fn unknown(failure: Arc<DirectusFailure>) -> AccessError {
    AccessError::Unknown { retry_after: failure.retry_after(), cause: Box::new(failure) }
}
