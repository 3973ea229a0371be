use async_trait::async_trait;
use processor_domain::TraceParent;
use processor_domain::ports::{PositionPublisher, PublishError};

use crate::EmbeddedPositionStream;

impl EmbeddedPositionStream {
    /// Appends one record as [`PositionPublisher::publish`] does, and says where in its trace the producer is. One
    /// that is malformed is passed over, as on every stream.
    ///
    /// # Errors
    /// As [`PositionPublisher::publish`].
    pub async fn publish_traced(&self, record: &[u8], traceparent: &str) -> Result<(), PublishError> {
        self.append(record, TraceParent::parse(traceparent.as_bytes())).await
    }

    async fn append(&self, record: &[u8], trace_parent: Option<TraceParent>) -> Result<(), PublishError> {
        let appended = self.stream.append(record, trace_parent).await;
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
