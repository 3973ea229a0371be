//! Connections for what does not block: acknowledgements, dead letters, publishing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{FromRedisValue, Pipeline};

use crate::error::{ConnectError, RedisFailure, Remedy};
use crate::route::Lane;
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
    /// One, or on a cluster one for each slot in use: the streams and their dead letters are few.
    lanes: Arc<Mutex<HashMap<Slot, Arc<Lane>>>>,
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
        Ok(Self { servers: Arc::new(servers), limits, lanes: Arc::default() })
    }

    /// Sends commands about `key` in one piece and waits for their answers, of which only failure is of interest.
    ///
    /// Nothing is sent a second time: that is for those to decide who know what it would do. After a failure that
    /// costs the connection the way is looked for again.
    pub(crate) async fn send(&self, key: &str, commands: &Pipeline) -> Result<(), RedisFailure> {
        self.ask(key, commands).await
    }

    /// As [`Self::send`], of commands whose answers are of interest; none of them is ignored.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        key: &str,
        commands: &Pipeline,
    ) -> Result<T, RedisFailure> {
        let slot = self.servers.slot(key);
        let lane = self.lane(slot);
        let route = lane.route(&self.servers, slot, self.limits).await?;
        let answer = route.ask(commands).await;
        if let Err(failure) = &answer
            && failure.remedy() == Remedy::Reconnect
        {
            lane.leave(&route).await;
        }
        answer
    }

    /// The map is sound after every step, so a panic elsewhere does not spoil it.
    fn lane(&self, slot: Slot) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(slot).or_default())
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
