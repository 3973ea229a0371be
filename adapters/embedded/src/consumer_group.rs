use std::time::Duration;

use async_trait::async_trait;
use processor_domain::Consumer;
use processor_domain::ports::{ConsumerGroup, StreamError};

use crate::EmbeddedPositionStream;

#[async_trait]
impl ConsumerGroup for EmbeddedPositionStream {
    fn stream(&self) -> &str {
        &self.stream.settings.name
    }

    async fn consumers(&self) -> Result<Vec<Consumer>, StreamError> {
        Ok(self.stream.log().consumers(&self.session.consumer, self.stream.clock.now()))
    }

    async fn forget(&self, idle: Duration) -> Result<Vec<Box<str>>, StreamError> {
        Ok(self.stream.log().forget(&self.session.consumer, idle, self.stream.clock.now()))
    }
}
