use std::time::Duration;

use async_trait::async_trait;

use super::Cause;
use crate::{Credential, EventId, Viewer};

/// Who is this, and may they see this event: asked of the CMS, which alone knows.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait Access: Send + Sync {
    /// The viewer who has this credential; `None` if it is nobody's: missing, wrong, ended.
    ///
    /// # Errors
    /// [`AccessError::Unknown`]: the CMS did not say. That is not a "no": somebody who is connected may stay
    /// for a while, somebody who is not must come again.
    async fn identify(&self, credential: &Credential) -> Result<Option<Viewer>, AccessError>;

    /// Whether whoever has this credential may see the event. An event that does not exist is one they may not
    /// see. Anything but a clear yes is a no.
    ///
    /// # Errors
    /// [`AccessError::Unknown`]: the CMS did not say.
    async fn may_see(&self, credential: &Credential, event: &EventId) -> Result<bool, AccessError>;
}

/// The CMS did not say.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It cannot be reached, is overloaded, or answered with something else than an answer.
    #[error("the CMS does not say who may see what")]
    Unknown {
        /// When to ask again, if it said so.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        cause: Cause,
    },
}
