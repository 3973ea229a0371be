//! Connections for what does not block: acknowledgements, dead letters, publishing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Object, Pool};
use redis::{FromRedisValue, Pipeline};

use crate::error::{ConnectError, RedisFailure, Remedy};
use crate::pooled::Pooling;
use crate::servers::{Limits, Servers};
use crate::slot::Slot;

/// What is asked over these connections is answered by a number or a word, and where a cluster has its slots by
/// some hundred bytes for each node.
const REPLY_BYTES: usize = 4 * 1024 * 1024;

/// Connections to the servers behind one URL, shared by all that is asked of them in short questions. Cheap to
/// clone.
#[derive(Clone)]
pub struct RedisConnections {
    servers: Arc<Servers>,
    limits: RedisConnectionLimits,
    /// One pool, or on a cluster one for each slot in use: the streams and their dead letters are few.
    pools: Arc<Mutex<HashMap<Slot, Pool<Pooling>>>>,
}

/// Limits of [`RedisConnections`].
#[derive(Clone, Copy, Debug)]
pub struct RedisConnectionLimits {
    /// How many there may be at a time; on a cluster, for each stream. Default 4.
    pub connections: usize,
    /// How long connecting may take, and waiting for a connection that is free. Default 5 s.
    pub connect_timeout: Duration,
    /// How long an answer may take. Default 5 s.
    pub response_timeout: Duration,
}

impl Default for RedisConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 4,
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(5),
        }
    }
}

impl RedisConnections {
    /// Connections to the servers at `url`, of which [`RedisUrl`](crate::RedisUrl) tells; none is opened before it
    /// is needed.
    ///
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if the URL or a limit cannot be used.
    pub fn new(url: &str, limits: RedisConnectionLimits) -> Result<Self, ConnectError> {
        let RedisConnectionLimits { connections, connect_timeout, response_timeout } = limits;
        if connections == 0 {
            return Err(ConnectError::invalid("connections", "it is zero"));
        }
        let servers =
            Servers::new(url, Limits { connect_timeout, response_timeout, reply_bytes: REPLY_BYTES })?;
        Ok(Self { servers: Arc::new(servers), limits, pools: Arc::default() })
    }

    /// Sends commands about `key` in one piece and waits for their answers, of which only failure is of interest.
    ///
    /// Nothing is sent a second time: that is for those to decide who know what it would do. A connection
    /// that has failed, or that leads to a server that does not serve the key any more, is taken out of the
    /// pool, and with it all that were opened before it failed: the pool's own check is a `PING`, which every
    /// replica answers.
    pub(crate) async fn send(&self, key: &str, commands: &Pipeline) -> Result<(), RedisFailure> {
        self.ask(key, commands).await
    }

    /// As [`Self::send`], of commands whose answers are of interest; none of them is ignored.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        key: &str,
        commands: &Pipeline,
    ) -> Result<T, RedisFailure> {
        let pool = self.pool(self.servers.slot(key))?;
        let mut connection = pool.get().await?;
        let answer = connection.ask(commands).await;
        if let Err(failure) = &answer
            && failure.remedy() == Remedy::Reconnect
        {
            pool.manager().failed(&connection, failure);
            drop(Object::take(connection));
        }
        answer
    }

    fn pool(&self, slot: Slot) -> Result<Pool<Pooling>, RedisFailure> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&slot) {
            return Ok(pool.clone());
        }
        let RedisConnectionLimits { connections, connect_timeout, response_timeout } = self.limits;
        let pool = Pool::builder(Pooling::of(Arc::clone(&self.servers), slot))
            .max_size(connections)
            .wait_timeout(Some(connect_timeout))
            // Time for one to be asked the way who does not answer, and one who does.
            .create_timeout(Some(2 * (connect_timeout + response_timeout)))
            .recycle_timeout(Some(response_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| RedisFailure::Connection(std::io::Error::other(error)))?;
        pools.insert(slot, pool.clone());
        Ok(pool)
    }
}

impl fmt::Debug for RedisConnections {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedisConnections")
            .field("servers", &self.servers)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
