use async_trait::async_trait;

use super::Cause;

/// Puts records onto a stream, as the platform's own ingestion does: for replay, simulation and redrive.
#[cfg_attr(feature = "test-doubles", mockall::automock)]
#[async_trait]
pub trait PositionPublisher: Send + Sync {
    /// Appends records, each the text of one record in the wire format, in this order. Waits while the stream
    /// has no room.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`]: some may have been appended. Publishing them again makes duplicates,
    /// which do no harm.
    async fn publish(&self, records: &[Box<[u8]>]) -> Result<(), PublishError>;
}

/// Records could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Not reachable, or full.
    #[error("the stream takes no records at the moment")]
    Unavailable(#[source] Cause),
}
