use anyhow::{Context, bail};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, Value};

use crate::RedisServer;

/// A connection to the server that has a key, be it one server, one that sentinels watch over, or a node of a cluster.
///
/// It finds its way as the program does, and in other code: what one of the two gets wrong, the other does not.
#[derive(Clone)]
pub struct KeyConnection {
    inner: MultiplexedConnection,
    /// The slot is on its way here, and the key has come already.
    asking: bool,
}

impl KeyConnection {
    /// To the server that has `key` now, of those at `url`: `redis://`, `redis+sentinel://` or `redis+cluster://`.
    ///
    /// # Errors
    /// If nobody who was asked knows, or the server does not take the connection.
    pub async fn to(url: &str, key: &str) -> anyhow::Result<Self> {
        let inner = RedisServer::connect(&server_of(url, key).await?).await?;
        let mut connection = Self { inner, asking: false };
        if let Err(error) = redis::cmd("EXISTS").arg(key).query_async::<()>(&mut connection).await {
            if error.code() != Some("ASK") {
                return Err(error.into());
            }
            let (address, _) = error.redirect_node().context("ASK without a node")?;
            let inner = RedisServer::connect(&format!("redis://{address}")).await?;
            connection = Self { inner, asking: true };
        }
        Ok(connection)
    }

    /// Whether the slot of its key is on its way.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.asking
    }
}

impl ConnectionLike for KeyConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            if self.asking {
                redis::cmd("ASKING").query_async::<()>(&mut self.inner).await?;
            }
            self.inner.req_packed_command(command).await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            if !self.asking {
                return self.inner.req_packed_commands(commands, offset, count).await;
            }
            let mut asking = redis::pipe();
            for command in commands.cmd_iter() {
                asking.cmd("ASKING").add_command(command.clone());
            }
            let answers = self.inner.req_packed_commands(&asking, 0, 2 * count).await?;
            Ok(answers.into_iter().skip(1).step_by(2).collect())
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

/// The URL of the one server among those at `url` that has `key`.
pub(crate) async fn server_of(url: &str, key: &str) -> anyhow::Result<String> {
    let (scheme, rest) = url.split_once("://").context("no URL")?;
    let (rest, password) = rest.split_once("?sentinel_password=").unwrap_or((rest, ""));
    let (hosts, service) = rest.split_once('/').unwrap_or((rest, ""));
    let mut failure = None;
    for host in hosts.split(',') {
        let asked = match scheme {
            "redis" => return Ok(url.to_owned()),
            "redis+sentinel" => primary_of(host, password, service).await,
            "redis+cluster" => owner_of(host, key).await,
            _ => bail!("a server at {url} cannot be found"),
        };
        match asked {
            Ok(address) => return Ok(format!("redis://{address}")),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.context("no host in the URL")?.context(format!("nobody knows where {key} is")))
}

async fn primary_of(sentinel: &str, password: &str, service: &str) -> anyhow::Result<String> {
    let mut asked = RedisServer::connect(&format!("redis://:{password}@{sentinel}")).await?;
    let (host, port): (String, u16) =
        redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(service).query_async(&mut asked).await?;
    Ok(format!("{host}:{port}"))
}

async fn owner_of(node: &str, key: &str) -> anyhow::Result<String> {
    let mut asked = RedisServer::connect(&format!("redis://{node}")).await?;
    let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(key).query_async(&mut asked).await?;
    let ranges: Vec<Vec<Value>> = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut asked).await?;
    for range in ranges {
        let [first, last, primary, ..] = &range[..] else { bail!("{range:?} is no range of slots") };
        let (first, last) = (u16::from_redis_value_ref(first)?, u16::from_redis_value_ref(last)?);
        if (first..=last).contains(&slot) {
            let primary = Vec::<Value>::from_redis_value_ref(primary)?;
            let [host, port, ..] = &primary[..] else { bail!("{primary:?} is no node") };
            return Ok(format!(
                "{}:{}",
                String::from_redis_value_ref(host)?,
                u16::from_redis_value_ref(port)?
            ));
        }
    }
    bail!("no node has slot {slot}")
}
