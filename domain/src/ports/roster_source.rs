use async_trait::async_trait;

use super::StoreError;
use crate::Roster;

/// Where it is written which devices take part in which events.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait RosterSource: Send + Sync {
    /// The whole roster at this moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: keep the one read last.
    async fn read_roster(&self) -> Result<Roster, StoreError>;
}
