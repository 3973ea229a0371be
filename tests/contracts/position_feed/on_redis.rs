use std::sync::Arc;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{PositionFeed, PositionPublisher, PositionStream, SystemClock};
use processor_redis::{
    RedisConnectionLimits, RedisConnections, RedisFeedSettings, RedisPositionFeed, RedisPositionPublisher,
    RedisPositionStream, RedisStreamSettings,
};
use processor_tests::{RedisServer, unique};

use super::{FeedFixture, position_feed_contract};

/// A stream of its own on a Redis server, or on several.
pub(super) struct OnRedis {
    server: RedisServer,
    stream: String,
}

position_feed_contract!(OnRedis);

impl OnRedis {
    #[expect(clippy::unnecessary_wraps, reason = "other fixtures can fail")]
    pub(super) fn on(server: RedisServer) -> anyhow::Result<Self> {
        Ok(Self { server, stream: unique("telemetry") })
    }
}

impl FeedFixture for OnRedis {
    async fn start() -> anyhow::Result<Self> {
        Self::on(RedisServer::start().await?)
    }

    fn batch_size(&self) -> usize {
        700
    }

    async fn publisher(&self) -> anyhow::Result<Arc<dyn PositionPublisher>> {
        let connections = RedisConnections::new(self.server.url(), RedisConnectionLimits::default())?;
        Ok(Arc::new(RedisPositionPublisher::new(connections, self.stream.as_str())))
    }

    async fn follow(&self, instance: &str) -> anyhow::Result<Arc<dyn PositionFeed>> {
        let mut settings = RedisFeedSettings::new(self.server.url(), &self.stream, instance);
        settings.batch_size = self.batch_size();
        let codec = RecordCodec::new(Limits::default());
        Ok(Arc::new(RedisPositionFeed::connect(settings, codec, Arc::new(SystemClock)).await?))
    }

    async fn read(&self) -> anyhow::Result<Arc<dyn PositionStream>> {
        let settings = RedisStreamSettings::new(self.server.url(), &self.stream, "reader");
        let codec = RecordCodec::new(Limits::default());
        Ok(Arc::new(RedisPositionStream::connect(settings, codec, Arc::new(SystemClock)).await?))
    }
}
