//! Connections for what does not block: acknowledgements, dead letters, publishing.

use std::time::Duration;

use deadpool_redis::{Connection, Manager, Pool, Runtime};
use redis::{AsyncConnectionConfig, IntoConnectionInfo, Pipeline};

use crate::error::{ConnectError, RedisFailure, Remedy};
use crate::socket::Address;

/// Connections to one server, shared by all that is asked of it in short questions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RedisConnections {
    pool: Pool,
}

/// Limits of [`RedisConnections`].
#[derive(Clone, Copy, Debug)]
pub struct RedisConnectionLimits {
    /// How many there may be at a time. Default 4.
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
    /// Connections to the server at `url`; none is opened before it is needed.
    ///
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if the URL or a limit cannot be used.
    pub fn new(url: &str, limits: RedisConnectionLimits) -> Result<Self, ConnectError> {
        let RedisConnectionLimits { connections, connect_timeout, response_timeout } = limits;
        let info = url.into_connection_info().map_err(|error| ConnectError::invalid("url", error))?;
        // Refuses here what the reader would refuse.
        Address::new(info.addr())?;
        let nodelay = info.tcp_settings().clone().set_nodelay(true);
        // The library's own limit is half a second.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(Some(response_timeout));
        let manager = Manager::new_with_config(info.set_tcp_settings(nodelay), config)
            .map_err(|error| ConnectError::invalid("url", error))?;
        let pool = Pool::builder(manager)
            .max_size(connections)
            .wait_timeout(Some(connect_timeout))
            .create_timeout(Some(connect_timeout))
            .recycle_timeout(Some(response_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| ConnectError::invalid("connections", error))?;
        Ok(Self { pool })
    }

    /// Asks the server whether it is there.
    ///
    /// # Errors
    /// What keeps it from answering.
    pub async fn ping(&self) -> Result<(), RedisFailure> {
        let mut commands = redis::pipe();
        commands.cmd("PING").ignore();
        self.send(&commands).await
    }

    /// Sends commands in one piece and waits for their answers, of which only failure is of interest.
    ///
    /// Nothing is sent a second time: that is for those to decide who know what it would do. A connection
    /// that has failed, or that leads to a server that does not serve the stream any more, is taken out of the
    /// pool: the pool's own check is a `PING`, which every replica answers.
    pub(crate) async fn send(&self, commands: &Pipeline) -> Result<(), RedisFailure> {
        let mut connection = self.pool.get().await?;
        let answer = commands.query_async::<()>(&mut connection).await.map_err(RedisFailure::from);
        if answer.as_ref().is_err_and(|failure| failure.remedy() == Remedy::Reconnect) {
            drop(Connection::take(connection));
        }
        answer
    }
}
