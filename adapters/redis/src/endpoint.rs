//! Where one stream is.

use std::sync::{Arc, Mutex, PoisonError};

use crate::connection::Connection;
use crate::error::{ConnectError, RedisFailure};
use crate::servers::{Limits, Servers};
use crate::slot::Slot;
use crate::socket::Address;

/// The way to the server that has a stream, whichever that is at the time.
pub(crate) struct Endpoint {
    servers: Arc<Servers>,
    stream: Box<str>,
    slot: Slot,
    /// Where it was last.
    last: Mutex<Option<Address>>,
}

impl Endpoint {
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if the URL cannot be used.
    pub(crate) fn new(url: &str, stream: &str, limits: Limits) -> Result<Self, ConnectError> {
        let servers = Arc::new(Servers::new(url, limits)?);
        let slot = servers.slot(stream);
        Ok(Self { servers, stream: stream.into(), slot, last: Mutex::default() })
    }

    /// The servers behind the URL.
    pub(crate) const fn servers(&self) -> &Arc<Servers> {
        &self.servers
    }

    /// Whether a connection still leads to where the stream is, as far as is known.
    pub(crate) async fn is_current(&self, connection: &Connection) -> bool {
        self.servers.still_at(connection.address()).await
    }

    /// A new connection to the server that has the stream now. `name` is what `CLIENT LIST` shows.
    pub(crate) async fn open(&self, name: &str) -> Result<Connection, RedisFailure> {
        let connection = self.servers.open(self.slot, name).await?;
        let address = connection.address();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(address.clone());
        if last.is_some_and(|last| last != *address) {
            tracing::info!(stream = &*self.stream, %address, "the stream is on another server now");
        }
        Ok(connection)
    }
}
