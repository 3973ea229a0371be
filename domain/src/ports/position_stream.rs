use async_trait::async_trait;

use super::Cause;
use crate::{Delivery, Settled, Standing};

/// One stream of positions, as one consumer of a durable group sees it.
///
/// The group starts at the beginning of the stream, so nothing that was written before the first start is
/// missed. Every entry is delivered to one consumer of the group and stays *pending* until it is acknowledged;
/// what a consumer leaves pending is delivered again: to itself when it comes back, to another one when it
/// does not.
///
/// Delivery is therefore *at least once*. An entry that this instance has been given and has not acknowledged
/// is never given to it a second time while it runs.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait PositionStream: Send + Sync {
    /// The name of the stream, for dead letters and logs.
    fn name(&self) -> &str;

    /// The next entries, in the order of the stream; none if nothing arrived for about a second.
    ///
    /// After a start and after every failure, what this consumer left pending comes first. A batch is never
    /// held back to become fuller: a lone entry is delivered at once. A batch is bounded in entries and bytes.
    ///
    /// # Cancel safety
    /// Not cancel safe: an entry may have been delivered to a future that was dropped. It stays pending and
    /// comes back after the next failure or start. Look at a stop signal between calls instead.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: call again; the implementation reconnects and creates the group anew if it
    /// is gone, and the caller decides how long to wait.
    async fn next_batch(&self) -> Result<Vec<Delivery>, StreamError>;

    /// Acknowledges entries whose records have an outcome. Those that are not pending any more are passed over.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: some may not be acknowledged; they will be delivered again and found to be
    /// duplicates.
    async fn acknowledge(&self, settled: &[Settled]) -> Result<(), StreamError>;

    /// Takes over entries that another consumer of the group left pending for longer than the configured time.
    /// At most one batch; none if there is nothing to take over *on the pages looked at*: call again at the
    /// next tick, the search goes on where it stopped.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: try again later.
    async fn reclaim(&self) -> Result<Vec<Delivery>, StreamError>;

    /// Says that everything delivered to this consumer by this instance and not yet acknowledged is still being
    /// worked on, so that no other consumer takes it over. To be called several times within the time after
    /// which entries are taken over.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: another consumer may take entries over, which costs duplicates, not data.
    async fn keep_in_flight(&self) -> Result<(), StreamError>;

    /// How far the group is.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: not known now.
    async fn standing(&self) -> Result<Standing, StreamError>;
}

/// A stream could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The stream cannot be reached, or cannot answer, at the moment: wait and try again.
    #[error("the stream is unavailable")]
    Unavailable(#[source] Cause),
}
