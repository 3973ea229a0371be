use std::time::Duration;

use processor_domain::ports::{StoreError, StoreFailure};
use sea_orm::sqlx;

use super::Failure;

/// The end of `work`, or of the time that it may take: a server that is gone without saying so never answers.
pub(super) async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|error| Failure::from(error).into_store_error()),
        Err(elapsed) => Err(StoreError::Unavailable { kind: StoreFailure::Deadline, cause: elapsed.into() }),
    }
}
