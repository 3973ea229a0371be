use async_trait::async_trait;

use super::StoreError;
use crate::{DeviceId, DeviceState};

/// What the store remembers of devices that are not in memory.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait DeviceMemory: Send + Sync {
    /// The states of those of `devices` that the store knows, in one query whatever their number.
    ///
    /// The high-water mark is the newest time the store has of the device that is not ahead of now by more
    /// than a device's clock may be; the last good fix is the newest one that is not marked faulty. A device
    /// that the store does not know is left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: try again.
    async fn recall(&self, devices: &[DeviceId]) -> Result<Vec<(DeviceId, DeviceState)>, StoreError>;

    /// The states of the devices heard of most recently, at most `limit`, the most recent last.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: try again.
    async fn recall_recent(&self, limit: usize) -> Result<Vec<(DeviceId, DeviceState)>, StoreError>;
}
