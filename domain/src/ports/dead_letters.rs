use async_trait::async_trait;

use super::Cause;
use crate::DeadLetter;

/// Where records are set aside that cannot be positions, or that no store will have.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps these records durably, each with the reason. Keeping one twice is allowed: whoever reads them
    /// tells them apart by stream and entry id.
    ///
    /// # Errors
    /// [`DeadLettersError::Unavailable`]: none or some were kept. Do not acknowledge; try again, or elsewhere.
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLettersError>;
}

/// Dead letters could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    /// Not reachable, or full.
    #[error("dead letters cannot be kept")]
    Unavailable(#[source] Cause),
}
