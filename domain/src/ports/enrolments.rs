use async_trait::async_trait;

use super::StoreError;
use crate::{DeviceId, Enrolment, RosterSchema};

/// What the tables of the CMS say of one device at this moment, for whoever asks why it is in no event.
///
/// [`RosterSource`](super::RosterSource) reads them as a whole and says what comes of them.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait Enrolments: Send + Sync {
    /// What there is of this device; a device that no table knows has an enrolment that says so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    async fn enrolment(&self, device: &DeviceId) -> Result<Enrolment, StoreError>;

    /// How the tables name a device at this moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    async fn schema(&self) -> Result<RosterSchema, StoreError>;
}
