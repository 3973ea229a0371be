use std::sync::Arc;

use anyhow::Context;
use processor_domain::ports::{DeadLetterQueue, DeadLetters};
use processor_redis::{RedisConnectionLimits, RedisConnections, RedisDeadLetterQueue, RedisDeadLetters};
use processor_tests::{Proxy, RedisServer, unique};
use redis::streams::StreamRangeReply;
use redis::{AsyncCommands, FromRedisValue};

use super::{DeadLetterFixture, INSTANCE, Kept, dead_letters_contract};

/// Dead letters of a stream on Redis, reached through a network that can fail if it is one server.
pub(crate) struct OnRedis {
    server: RedisServer,
    network: Option<Proxy>,
    letters: RedisDeadLetters,
    queue: RedisDeadLetterQueue,
    /// Streams of a shared server are told apart by it.
    unique: String,
}

dead_letters_contract!(OnRedis);

impl OnRedis {
    pub(crate) fn on(server: RedisServer) -> anyhow::Result<Self> {
        Self::through(None, server)
    }

    fn through(network: Option<Proxy>, server: RedisServer) -> anyhow::Result<Self> {
        let url = network.as_ref().map_or(server.url(), Proxy::url);
        let connections = RedisConnections::new(url, RedisConnectionLimits::default())?;
        let queue = RedisDeadLetterQueue::new(connections.clone());
        let letters = RedisDeadLetters::new(connections, INSTANCE);
        Ok(Self { server, network, letters, queue, unique: unique("stream") })
    }
}

impl DeadLetterFixture for OnRedis {
    async fn start() -> anyhow::Result<Self> {
        let server = RedisServer::start().await?;
        Self::through(Some(Proxy::to(server.url())?), server)
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        Arc::new(self.letters.clone())
    }

    fn dead_letter_queue(&self) -> Arc<dyn DeadLetterQueue> {
        Arc::new(self.queue.clone())
    }

    fn stream(&self, name: &str) -> String {
        format!("{}:{name}", self.unique)
    }

    async fn kept(&self, stream: &str) -> anyhow::Result<Vec<Kept>> {
        let dead = RedisDeadLetters::stream_of(stream);
        let found: StreamRangeReply = self.server.connection_for(&dead).await?.xrange_all(&dead).await?;
        found.ids.iter().map(read).collect()
    }

    async fn go_away(&self) -> anyhow::Result<bool> {
        let Some(network) = &self.network else { return Ok(false) };
        network.refuse().await;
        network.cut();
        Ok(true)
    }
}

fn read(entry: &redis::streams::StreamId) -> anyhow::Result<Kept> {
    fn field<T: FromRedisValue>(entry: &redis::streams::StreamId, name: &str) -> anyhow::Result<T> {
        entry.get(name).with_context(|| format!("no field {name} in {entry:?}"))
    }
    Ok(Kept {
        entry_id: field::<String>(entry, "entry_id")?.parse()?,
        reason: field(entry, "reason")?,
        detail: field(entry, "detail")?,
        payload: field(entry, "payload")?,
        deliveries: field(entry, "deliveries")?,
        instance: Some(field(entry, "instance")?),
    })
}
