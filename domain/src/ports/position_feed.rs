use async_trait::async_trait;

use super::StreamError;
use crate::{EntryId, Position};

/// Positions as they happen, for watching.
///
/// Every instance has a feed of its own and sees every position. It begins with what arrives after it was
/// opened and may skip what it could not take in time: the history is complete in the store, not here. What
/// cannot be a position is left out.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait PositionFeed: Send + Sync {
    /// The positions that arrived since the last call, in the order of the stream; none if nothing arrived for
    /// about a second. Bounded in number.
    ///
    /// # Cancel safety
    /// Not cancel safe; look at a stop signal between calls.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: call again.
    async fn follow(&self) -> Result<Vec<Observed>, StreamError>;

    /// Takes away what the feed left in the stream's keeping. To be called once, at a clean stop.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`]: it stays there until another instance finds it stale.
    async fn close(&self) -> Result<(), StreamError>;
}

/// A position as a feed saw it.
#[derive(Clone, PartialEq, Debug)]
pub struct Observed {
    /// Where it stands in its stream; its time is when the platform received the position.
    pub entry_id: EntryId,
    /// The position.
    pub position: Position,
}
