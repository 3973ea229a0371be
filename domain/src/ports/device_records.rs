use async_trait::async_trait;

use super::StoreError;
use crate::{DeviceId, StoredRecord, Timestamp};

/// What the store has of one device, for whoever asks why it is not seen.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait DeviceRecords: Send + Sync {
    /// The records of this device with the newest device times, whatever is wrong with them: the newest first, at
    /// most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    async fn newest(&self, device: &DeviceId, limit: usize) -> Result<Vec<StoredRecord>, StoreError>;

    /// How many records of this device have a device time of `since` or later. No more than `most` are counted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    async fn count_since(&self, device: &DeviceId, since: Timestamp, most: u64) -> Result<u64, StoreError>;
}
