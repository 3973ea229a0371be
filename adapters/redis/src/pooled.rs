//! A connection of the client library in a pool.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, Pipeline, Value};

use crate::error::RedisFailure;
use crate::server::Greeting;
use crate::servers::{Located, Servers};
use crate::slot::Slot;

/// Makes connections to the server that has a slot, and says which can still be used.
pub(crate) struct Pooling {
    servers: Arc<Servers>,
    slot: Slot,
    /// Goes up with each failure: what was opened before is not trusted any more.
    generation: AtomicU64,
}

/// A connection that is in use by one at a time.
pub(crate) struct Pooled {
    connection: MultiplexedConnection,
    located: Located,
    generation: u64,
}

impl Pooling {
    pub(crate) const fn of(servers: Arc<Servers>, slot: Slot) -> Self {
        Self { servers, slot, generation: AtomicU64::new(0) }
    }

    /// This connection is of no more use. The others were opened when it was, to the same server.
    pub(crate) fn failed(&self, connection: &Pooled, failure: &RedisFailure) {
        self.generation.fetch_max(connection.generation + 1, Ordering::Relaxed);
        if let RedisFailure::Refused { message, .. } = failure {
            self.servers.heed(self.slot, &connection.located.address, message);
        }
    }

    async fn connect(&self, located: &Located) -> Result<MultiplexedConnection, RedisFailure> {
        let limits = self.servers.limits();
        // The library's own limit is half a second.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limits.connect_timeout))
            .set_response_timeout(Some(limits.response_timeout));
        let address = self.servers.transport().library_address(&located.address);
        let info = address.into_connection_info()?;
        let nodelay = info.tcp_settings().clone().set_nodelay(true);
        let info = info.set_tcp_settings(nodelay).set_redis_settings(self.servers.login().clone());
        let client = Client::open(info)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let fields: HashMap<String, Value> = redis::cmd("HELLO").arg(2).query_async(&mut connection).await?;
        Greeting::of(&fields).check()?;
        Ok(connection)
    }
}

impl Manager for Pooling {
    type Type = Pooled;
    type Error = RedisFailure;

    async fn create(&self) -> Result<Pooled, RedisFailure> {
        let generation = self.generation.load(Ordering::Relaxed);
        let located = self.servers.locate(self.slot).await?;
        let connection = self.connect(&located).await.inspect_err(|_| self.servers.led_astray())?;
        Ok(Pooled { connection, located, generation })
    }

    async fn recycle(&self, pooled: &mut Pooled, _: &Metrics) -> RecycleResult<RedisFailure> {
        if pooled.generation < self.generation.load(Ordering::Relaxed) {
            return Err(RecycleError::message("another connection to the same server has failed"));
        }
        if !self.servers.still_at(&pooled.located.address).await {
            return Err(RecycleError::message("the server is not the primary any more"));
        }
        let alive = redis::cmd("PING").query_async::<()>(&mut pooled.connection).await;
        alive.map_err(|error| RecycleError::Backend(error.into()))
    }
}

impl Pooled {
    pub(crate) async fn ask<T: FromRedisValue>(&mut self, commands: &Pipeline) -> Result<T, RedisFailure> {
        if self.located.asking {
            let mut asking = redis::pipe();
            for command in commands.cmd_iter() {
                asking.cmd("ASKING").ignore().add_command(command.clone());
            }
            return Ok(asking.query_async(&mut self.connection).await?);
        }
        Ok(commands.query_async(&mut self.connection).await?)
    }
}
