use async_trait::async_trait;

use super::StoreError;
use crate::{DeviceId, Position};

/// The last known picture, for a viewer's first frame.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait LastPositions: Send + Sync {
    /// The newest position that is not faulty of each of these devices, in one query whatever their number. A
    /// device without one is left out. Attributes are left out too: a map does not show them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    async fn last_positions(&self, devices: &[DeviceId]) -> Result<Vec<Position>, StoreError>;
}
