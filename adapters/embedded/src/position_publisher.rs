use async_trait::async_trait;
use processor_domain::ports::{PositionPublisher, PublishError};

use crate::EmbeddedPositionStream;

impl EmbeddedPositionStream {
    /// Appends one record as [`PositionPublisher::publish`] does, with the trace context of its producer.
    ///
    /// # Errors
    /// As [`PositionPublisher::publish`].
    pub async fn publish_traced(&self, record: &[u8], traceparent: &str) -> Result<(), PublishError> {
        self.append(record, Some(traceparent)).await
    }

    async fn append(&self, record: &[u8], traceparent: Option<&str>) -> Result<(), PublishError> {
        let appended = self.stream.append(record, traceparent).await;
        appended.map_err(|closed| PublishError::Unavailable(closed.into()))
    }
}

#[async_trait]
impl PositionPublisher for EmbeddedPositionStream {
    /// A future that is dropped while it waits for room has appended the records before.
    async fn publish(&self, records: &[Box<[u8]>]) -> Result<(), PublishError> {
        for record in records {
            self.append(record, None).await?;
        }
        Ok(())
    }
}
