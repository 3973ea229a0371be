use async_trait::async_trait;

use super::{Cause, StoreFailure};
use crate::Judged;

/// Where positions are kept: one row for each device and moment of device time.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait PositionStore: Send + Sync {
    /// Writes a batch, whole or not at all, and says what became of each position, in the order of the batch.
    ///
    /// After `Ok`, every position is durably in the store unless its verdict is [`Verdict::Refused`]. Writing
    /// the same batch twice is writing it once: the second time every position is a duplicate.
    ///
    /// Of several positions with one key, in the batch or in the store, the first one stays. A later one that
    /// differs is united with it: attributes that the first does not have are added, the higher priority stays,
    /// and a place that is not faulty takes the place of one that is. If that changed the row its verdict is
    /// [`Verdict::Merged`], else [`Verdict::Duplicate`].
    ///
    /// A position that the store refuses for what it holds is found and told apart; it does not keep the rest
    /// of the batch from being stored.
    ///
    /// # Cancel safety
    /// Not cancel safe; never drop the future. It ends by itself: statements have a time limit.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it is not known whether the batch was written. Write it again, as often as
    /// it takes.
    async fn commit(&self, batch: &[Judged]) -> Result<Vec<Verdict>, StoreError>;

    /// Whether the store can be reached, found out by asking it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it cannot.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// What a store did with a position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// There is a new row.
    Stored,
    /// Its row was there and has not changed.
    Duplicate,
    /// Its row was there and has changed.
    Merged,
    /// The store will not have it, now or later, for the reason given.
    Refused(Box<str>),
}

/// A store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, or cannot answer, at the moment: wait and try again.
    #[error("the store is unavailable ({kind})")]
    Unavailable {
        /// What kind of failure it was.
        kind: StoreFailure,
        /// What happened.
        #[source]
        cause: Cause,
    },
}
