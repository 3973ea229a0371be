//! A pool of connections to the server that has a slot.

use std::sync::Arc;

use deadpool_redis::{Manager, Pool, Runtime};
use redis::{AsyncConnectionConfig, FromRedisValue, IntoConnectionInfo, Pipeline};
use tokio::sync::Mutex;

use crate::connections::RedisConnectionLimits;
use crate::error::RedisFailure;
use crate::servers::{Located, Servers};
use crate::slot::Slot;

/// The way to one slot, as far as it is known: what is found out about one slot holds up nobody who wants another.
#[derive(Default)]
pub(crate) struct Lane {
    route: Mutex<Option<Arc<Route>>>,
}

impl Lane {
    /// The way that is known, if it still holds, or another. Whoever comes while it is looked for waits for what is
    /// found.
    pub(crate) async fn route(
        &self,
        servers: &Arc<Servers>,
        slot: Slot,
        limits: RedisConnectionLimits,
    ) -> Result<Arc<Route>, RedisFailure> {
        let mut known = self.route.lock().await;
        if let Some(route) = known.as_ref()
            && route.holds().await
        {
            return Ok(Arc::clone(route));
        }
        *known = None;
        let route = Arc::new(Route::find(servers, slot, limits).await?);
        Ok(Arc::clone(known.insert(route)))
    }

    /// Leaves a way that has failed, unless somebody has found another one since.
    pub(crate) async fn leave(&self, failed: &Arc<Route>) {
        self.route.lock().await.take_if(|route| Arc::ptr_eq(route, failed));
    }
}

/// Leads to the server that had a slot when it was looked for. It is thrown away, with all its connections, as soon as
/// one of them fails: the pool's own check is a `PING`, which every replica answers.
pub(crate) struct Route {
    servers: Arc<Servers>,
    slot: Slot,
    located: Located,
    pool: Pool,
}

impl Route {
    /// Looks for the server, and makes sure that it is one that will do.
    pub(crate) async fn find(
        servers: &Arc<Servers>,
        slot: Slot,
        limits: RedisConnectionLimits,
    ) -> Result<Self, RedisFailure> {
        let located = servers.locate(slot).await?;
        let looked_at = servers.open_at(&located.address, "route").await;
        drop(looked_at.inspect_err(|_| servers.led_astray())?);

        let address = servers.transport().library_address(&located.address);
        let info = address.into_connection_info()?;
        let nodelay = info.tcp_settings().clone().set_nodelay(true);
        let info = info.set_tcp_settings(nodelay).set_redis_settings(servers.login().clone());
        // The library's own limit is half a second.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limits.connect_timeout))
            .set_response_timeout(Some(limits.response_timeout));
        let pool = Pool::builder(Manager::new_with_config(info, config)?)
            .max_size(limits.connections)
            .wait_timeout(Some(limits.connect_timeout))
            .create_timeout(Some(limits.connect_timeout + limits.response_timeout))
            .recycle_timeout(Some(limits.response_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| RedisFailure::Connection(std::io::Error::other(error)))?;
        Ok(Self { servers: Arc::clone(servers), slot, located, pool })
    }

    /// Whether it leads to the right server still, as far as is known.
    pub(crate) async fn holds(&self) -> bool {
        self.servers.still_at(&self.located.address).await
    }

    /// Sends commands in one piece, once, and waits for their answers.
    pub(crate) async fn ask<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisFailure> {
        let answer = self.ask_over_the_pool(commands).await;
        if let Err(RedisFailure::Refused { message, .. }) = &answer {
            self.servers.heed(self.slot, &self.located.address, message);
        }
        answer
    }

    async fn ask_over_the_pool<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisFailure> {
        let mut connection = self.pool.get().await?;
        if !self.located.asking {
            return Ok(commands.query_async(&mut connection).await?);
        }
        let mut asking = redis::pipe();
        for command in commands.cmd_iter() {
            asking.cmd("ASKING").ignore().add_command(command.clone());
        }
        Ok(asking.query_async(&mut connection).await?)
    }
}
