//! The servers behind a URL, and which of them has a key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisConnectionInfo;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::connection::{Commands, Connection};
use crate::error::{ConnectError, RedisFailure};
use crate::redis_url::{Kind, RedisUrl};
use crate::sentinels::{Primary, Sentinels};
use crate::server::Greeting;
use crate::slot::Slot;
use crate::socket::{Address, Transport};

/// Knows the way, by asking for it anew with every connection that is to be opened.
pub(crate) struct Servers {
    url: RedisUrl,
    way: Way,
    transport: Transport,
    limits: Limits,
}

/// How long one waits to be told that the primary is still the same: reading and acknowledging do not go on meanwhile.
const DOUBT_PATIENCE: Duration = Duration::from_millis(500);

/// Limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    /// Largest answer accepted, in bytes.
    pub(crate) reply_bytes: usize,
}

enum Way {
    Straight(Address),
    Sentinels(Box<Sentinels>),
    Cluster(Cluster),
}

/// The server that has a key.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) address: Address,
    /// The key is there ahead of its slot, and commands have to be announced by `ASKING`.
    pub(crate) asking: bool,
}

impl Servers {
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if the URL cannot be used.
    pub(crate) fn new(url: &str, limits: Limits) -> Result<Self, ConnectError> {
        let url = RedisUrl::parse(url)?;
        let transport = if url.tls { Transport::tls()? } else { Transport::Plain };
        let way = match &url.kind {
            Kind::Server => match url.addresses.first() {
                Some(address) => Way::Straight(address.clone()),
                None => return Err(ConnectError::invalid("url", "it names no host")),
            },
            Kind::Sentinels { service, login } => {
                Way::Sentinels(Box::new(Sentinels::of(&url.addresses, service, login)))
            }
            Kind::Cluster => Way::Cluster(Cluster::of(&url.addresses)),
        };
        Ok(Self { url, way, transport, limits })
    }

    pub(crate) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// As whom, and to which database.
    pub(crate) const fn login(&self) -> &RedisConnectionInfo {
        &self.url.login
    }

    /// What tells keys apart that may be on different servers.
    pub(crate) fn slot(&self, key: &str) -> Slot {
        if matches!(self.way, Way::Cluster(_)) { Slot::of(key) } else { Slot::ONLY }
    }

    /// A new connection to the server that has the slot, introduced and found to be one that will do. `name` is
    /// what `CLIENT LIST` shows.
    pub(crate) async fn open(self: &Arc<Self>, slot: Slot, name: &str) -> Result<Connection, RedisFailure> {
        let located = self.locate(slot).await?;
        let opened = self.open_at(&located.address, name).await;
        let mut connection = opened.inspect_err(|_| self.led_astray())?;
        if matches!(self.way, Way::Cluster(_)) {
            connection.belongs_to(Arc::clone(self), slot, located.asking);
        }
        Ok(connection)
    }

    /// A new connection to this server, introduced and found to be one that will do.
    pub(crate) async fn open_at(&self, address: &Address, name: &str) -> Result<Connection, RedisFailure> {
        let mut connection = self.connect(address).await?;
        introduce(&mut connection, self.login(), name).await?.check()?;
        Ok(connection)
    }

    /// Where the slot is.
    pub(crate) async fn locate(&self, slot: Slot) -> Result<Located, RedisFailure> {
        let address = match &self.way {
            Way::Straight(address) => address.clone(),
            Way::Sentinels(sentinels) => self.ask_sentinels(sentinels).await?,
            Way::Cluster(cluster) => match cluster.take_asked(slot) {
                Some(address) => return Ok(Located { address, asking: true }),
                None => self.ask_cluster(cluster, slot).await?,
            },
        };
        Ok(Located { address, asking: false })
    }

    async fn ask_sentinels(&self, sentinels: &Sentinels) -> Result<Address, RedisFailure> {
        let (mut behind, mut failure): (Option<Primary>, _) = (None, None);
        for guide in sentinels.guides.in_order() {
            let asked = match self.connect(&guide).await {
                Ok(mut connection) => sentinels.ask(&mut connection).await,
                Err(failed) => Err(failed),
            };
            match asked {
                Ok(primary) if sentinels.is_newest(&primary) => return Ok(sentinels.settle_on(primary)),
                Ok(primary) => behind = Some(primary.or_newer(behind)),
                Err(failed) => failure = failure.or(Some(failed)),
            }
            sentinels.guides.doubt(&guide);
        }
        match (behind, failure) {
            (Some(primary), _) => Ok(sentinels.settle_on(primary)),
            (None, failure) => Err(failure.unwrap_or(RedisFailure::NotFound { what: "sentinel" })),
        }
    }

    async fn ask_cluster(&self, cluster: &Cluster, slot: Slot) -> Result<Address, RedisFailure> {
        let mut failure = None;
        for guide in cluster.guides.in_order() {
            let asked = match self.open_guide(&guide).await {
                Ok(mut connection) => cluster.locate(&mut connection, &guide, slot).await,
                Err(failed) => Err(failed),
            };
            match asked {
                Ok(address) => return Ok(address),
                Err(failed) => failure = failure.or(Some(failed)),
            }
            cluster.guides.doubt(&guide);
        }
        Err(failure.unwrap_or(RedisFailure::NotFound { what: "node" }))
    }

    /// A connection to a node, whatever its role.
    async fn open_guide(&self, address: &Address) -> Result<Connection, RedisFailure> {
        let mut connection = self.connect(address).await?;
        introduce(&mut connection, self.login(), "guide").await?;
        Ok(connection)
    }

    /// Whether the slot is still at this address, as far as is known.
    ///
    /// Nodes of a cluster say themselves what they do not have any more, and those that have lost touch with the others
    /// do nothing. A primary that sentinels have replaced while they could not reach it goes on as if it were one.
    pub(crate) async fn still_at(&self, address: &Address) -> bool {
        let Way::Sentinels(sentinels) = &self.way else { return true };
        let locate = async {
            let asked = timeout(DOUBT_PATIENCE, self.ask_sentinels(sentinels)).await;
            asked.ok().and_then(Result::ok)
        };
        sentinels.still_at(address, locate).await
    }

    /// The way that was shown last does not lead to a server that will do.
    pub(crate) fn led_astray(&self) {
        match &self.way {
            Way::Straight(_) => {}
            Way::Sentinels(sentinels) => sentinels.guides.doubt_first(),
            Way::Cluster(cluster) => cluster.guides.doubt_first(),
        }
    }

    /// Takes in what the server at this address says in place of an answer.
    pub(crate) fn heed(&self, slot: Slot, by: &Address, message: &str) {
        if let Way::Cluster(cluster) = &self.way {
            cluster.heed(slot, &by.host, message);
        }
    }

    async fn connect(&self, address: &Address) -> Result<Connection, RedisFailure> {
        let patience = self.limits.connect_timeout;
        let socket = timeout(patience, self.transport.open(address))
            .await
            .map_err(|_| RedisFailure::TimedOut(patience))?
            .map_err(RedisFailure::Connection)?;
        Ok(Connection::over(socket, address.clone(), self.limits))
    }
}

/// Host and port of a lone server, else the URL without its passwords.
impl fmt::Display for Servers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Straight(address) => address.fmt(out),
            _ => self.url.fmt(out),
        }
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

async fn introduce(
    connection: &mut Connection,
    login: &RedisConnectionInfo,
    name: &str,
) -> Result<Greeting, RedisFailure> {
    let name: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect();
    let mut hello = vec!["HELLO", "2"];
    if let Some(password) = login.password() {
        hello.extend(["AUTH", login.username().unwrap_or("default"), password]);
    }
    hello.extend(["SETNAME", name.as_str()]);
    let mut commands = Commands::default();
    commands.push(&hello);
    if login.db() != 0 {
        commands.push(&["SELECT", &login.db().to_string()]);
    }
    let mut replies = connection.ask(&commands).await?;
    let greeting = Greeting::read(&mut replies)?;
    if login.db() != 0 {
        replies.expect_ok()?;
    }
    Ok(greeting)
}

#[cfg(test)]
mod tests;
