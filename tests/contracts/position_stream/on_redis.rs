use std::sync::Arc;
use std::time::Duration;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{ConsumerGroup, PositionPublisher, PositionStream, SystemClock};
use processor_redis::{
    RedisConnectionLimits, RedisConnections, RedisConsumerGroup, RedisPositionPublisher, RedisPositionStream,
    RedisStreamSettings,
};
use processor_tests::{RedisServer, unique};

use super::{StreamFixture, position_stream_contract};

/// A stream of its own on a Redis server, or on several.
pub(crate) struct OnRedis {
    server: RedisServer,
    stream: String,
}

position_stream_contract!(OnRedis);

impl OnRedis {
    #[expect(clippy::unnecessary_wraps, reason = "other fixtures can fail")]
    pub(crate) fn on(server: RedisServer) -> anyhow::Result<Self> {
        Ok(Self { server, stream: unique("telemetry") })
    }
}

impl StreamFixture for OnRedis {
    async fn start() -> anyhow::Result<Self> {
        Self::on(RedisServer::start().await?)
    }

    fn claim_idle(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn batch_size(&self) -> usize {
        700
    }

    async fn publisher(&self) -> anyhow::Result<Arc<dyn PositionPublisher>> {
        let connections = RedisConnections::new(self.server.url(), RedisConnectionLimits::default())?;
        Ok(Arc::new(RedisPositionPublisher::new(connections, self.stream.as_str())))
    }

    async fn append_traced(&self, record: &[u8], traceparent: &str) -> anyhow::Result<()> {
        let mut append = redis::cmd("XADD");
        append.arg(&self.stream).arg("*").arg("payload").arg(record).arg("traceparent").arg(traceparent);
        let mut connection = self.server.connection_for(&self.stream).await?;
        Ok(append.query_async(&mut connection).await?)
    }

    async fn open(&self, consumer: &str) -> anyhow::Result<Arc<dyn PositionStream>> {
        let mut settings = RedisStreamSettings::new(self.server.url(), &self.stream, consumer);
        settings.claim_idle = self.claim_idle();
        settings.batch_size = self.batch_size();
        let codec = RecordCodec::new(Limits::default());
        Ok(Arc::new(RedisPositionStream::connect(settings, codec, Arc::new(SystemClock)).await?))
    }

    fn group(&self, consumer: &str) -> anyhow::Result<Arc<dyn ConsumerGroup>> {
        let connections = RedisConnections::new(self.server.url(), RedisConnectionLimits::default())?;
        Ok(Arc::new(RedisConsumerGroup::new(connections, self.stream.as_str(), "processor", consumer)))
    }
}
