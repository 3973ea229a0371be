//! Where positions come from: the streams of Redis, or the embedded one.

use std::collections::BTreeMap;
use std::sync::Arc;

use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{
    ConsumerGroup, DeadLetterQueue, DeadLetters, PositionFeed, PositionPublisher, PositionStream, SystemClock,
};
use processor_embedded::{EmbeddedPositionStream, EmbeddedSettings};
use processor_redis::{
    RedisConsumerGroup, RedisDeadLetterQueue, RedisDeadLetters, RedisFeedSettings, RedisPositionFeed,
    RedisPositionPublisher, RedisPositionStream, RedisStreamSettings,
};
use tokio_util::sync::CancellationToken;

use super::{Attempt, reach};
use crate::config::{Config, Redis};

/// Where positions come from, and where records are set aside and put.
pub(crate) struct Source {
    pub(crate) streams: Vec<Arc<dyn PositionStream>>,
    pub(crate) groups: Vec<Arc<dyn ConsumerGroup>>,
    pub(crate) dead_letters: Arc<dyn DeadLetters>,
    pub(crate) dead_letter_queue: Arc<dyn DeadLetterQueue>,
    /// By the name of the stream that each puts records onto.
    pub(crate) publishers: BTreeMap<Box<str>, Arc<dyn PositionPublisher>>,
    pub(crate) publisher: Arc<dyn PositionPublisher>,
    embedded: Option<Arc<EmbeddedPositionStream>>,
}

impl Source {
    /// Reaches the streams of Redis, or makes the embedded one.
    pub(crate) async fn reach(config: &Config, stop: &CancellationToken) -> anyhow::Result<Self> {
        match &config.redis {
            Some(redis) => Self::redis(config, redis, stop).await,
            None => Ok(Self::embedded(config.limits)),
        }
    }

    async fn redis(config: &Config, redis: &Redis, stop: &CancellationToken) -> anyhow::Result<Self> {
        let mut streams: Vec<Arc<dyn PositionStream>> = Vec::new();
        let mut groups: Vec<Arc<dyn ConsumerGroup>> = Vec::new();
        let mut connections = None;
        for name in &redis.streams {
            let settings = RedisStreamSettings {
                group: redis.group.clone(),
                batch_size: redis.batch_size,
                batch_bytes: redis.batch_bytes,
                block: redis.block,
                claim_idle: redis.claim_idle,
                ..RedisStreamSettings::new(redis.url.clone(), name.clone(), redis.consumer.clone())
            };
            let codec = RecordCodec::new(config.limits);
            let stream = reach("Redis", config.start_timeout, stop, || async {
                let connected =
                    RedisPositionStream::connect(settings.clone(), codec, Arc::new(SystemClock)).await;
                connected.map_err(|error| Attempt { may_pass: error.may_pass(), error: error.into() })
            })
            .await?;
            let shared = connections.get_or_insert_with(|| stream.connections().clone());
            let (group, consumer) = (redis.group.as_str(), redis.consumer.as_str());
            groups.push(Arc::new(RedisConsumerGroup::new(shared.clone(), name.as_str(), group, consumer)));
            streams.push(Arc::new(stream));
        }
        let (Some(connections), Some(first)) = (connections, redis.streams.first()) else {
            anyhow::bail!("no stream is named");
        };
        let publisher = |name: &String| -> (Box<str>, Arc<dyn PositionPublisher>) {
            let publisher = RedisPositionPublisher::new(connections.clone(), name.as_str());
            (name.as_str().into(), Arc::new(publisher))
        };
        Ok(Self {
            streams,
            groups,
            publishers: redis.streams.iter().map(publisher).collect(),
            dead_letters: Arc::new(RedisDeadLetters::new(connections.clone(), config.instance_id.as_str())),
            dead_letter_queue: Arc::new(RedisDeadLetterQueue::new(connections.clone())),
            publisher: Arc::new(RedisPositionPublisher::new(connections, first.as_str())),
            embedded: None,
        })
    }

    fn embedded(limits: Limits) -> Self {
        let stream = Arc::new(EmbeddedPositionStream::new(
            EmbeddedSettings::default(),
            RecordCodec::new(limits),
            Arc::new(SystemClock),
        ));
        Self {
            streams: vec![stream.clone()],
            groups: vec![stream.clone()],
            publishers: [(stream.name().into(), stream.clone() as _)].into(),
            dead_letters: stream.clone(),
            dead_letter_queue: stream.clone(),
            publisher: stream.clone(),
            embedded: Some(stream),
        }
    }

    /// The same positions as they happen, from now on.
    pub(crate) async fn feeds(&self, config: &Config) -> anyhow::Result<Vec<Arc<dyn PositionFeed>>> {
        let mut feeds: Vec<Arc<dyn PositionFeed>> = Vec::new();
        if let Some(embedded) = &self.embedded {
            feeds.push(Arc::new(embedded.feed()));
        }
        if let Some(redis) = &config.redis {
            for name in &redis.streams {
                let settings = RedisFeedSettings {
                    batch_size: redis.batch_size,
                    batch_bytes: redis.batch_bytes,
                    block: redis.block,
                    ..RedisFeedSettings::new(redis.url.clone(), name.clone(), config.instance_id.clone())
                };
                let codec = RecordCodec::new(config.limits);
                feeds.push(Arc::new(
                    RedisPositionFeed::connect(settings, codec, Arc::new(SystemClock)).await?,
                ));
            }
        }
        Ok(feeds)
    }
}
