use std::time::Duration;

use async_trait::async_trait;

use super::StreamError;
use crate::Consumer;

/// The durable group of one stream, as an operator sees it: who reads, and what is left with whom.
///
/// A group keeps its consumers for ever. An instance that comes back under another name each time leaves one
/// behind each time, until it is forgotten.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait ConsumerGroup: Send + Sync {
    /// The name of the stream.
    fn stream(&self) -> &str;

    /// Every consumer of the group, by name; none if there is no such group at the moment.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: not known now.
    async fn consumers(&self) -> Result<Vec<Consumer>, StreamError>;

    /// Removes every consumer that has nothing pending and has asked for nothing for longer than `idle`, and
    /// returns their names. There may be more than are removed at a time. The consumer of this instance is never
    /// among them.
    ///
    /// Which may go is decided where they are removed, in one step with it: what is pending with a consumer that
    /// is removed would be lost. One that was removed and asks again is there again.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: some may have been removed.
    async fn forget(&self, idle: Duration) -> Result<Vec<Box<str>>, StreamError>;
}
