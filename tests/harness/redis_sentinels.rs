use std::time::Duration;

use anyhow::{Context, ensure};

use crate::RedisServer;
use crate::eventually::Patience;
use crate::key_connection::server_of;
use crate::redis_set::{RedisSet, port_of};

const SERVICE: &str = "cars";
const SERVERS: usize = 3;
/// Of the sentinels, not of the servers.
const PASSWORD: &str = "cars-and-drivers";

/// How long sentinels and replicas may take to know each other, or to agree on a new primary.
const AGREED: Duration = Duration::from_mins(1);

/// A primary, two replicas, and three sentinels with a password that watch over them, for one test alone.
#[derive(Debug)]
pub struct RedisSentinels {
    set: RedisSet,
}

impl RedisSentinels {
    /// Starts all of them, and waits until they know each other.
    ///
    /// # Errors
    /// If there are none to be had, with what to do about it.
    pub async fn start() -> anyhow::Result<Self> {
        let configuration = |ports: &[u16], place: usize| match place {
            0 => "save \"\"\nrepl-diskless-sync-delay 0\nreplica-announce-ip 127.0.0.1".to_owned(),
            1 | 2 => format!(
                "save \"\"\nrepl-diskless-sync-delay 0\nreplica-announce-ip 127.0.0.1\nreplicaof 127.0.0.1 {}",
                ports[0]
            ),
            _ => format!(
                "sentinel monitor {SERVICE} 127.0.0.1 {} 2\nsentinel down-after-milliseconds {SERVICE} 3000\n\
                 sentinel failover-timeout {SERVICE} 10000\nsentinel parallel-syncs {SERVICE} 2\n\
                 sentinel announce-ip 127.0.0.1\nrequirepass {PASSWORD}",
                ports[0]
            ),
        };
        let set = RedisSet::start(None, SERVERS + 3, configuration, |_| String::new()).await?;
        let this = Self { set };
        this.until_all_is_known().await;
        Ok(this)
    }

    /// Where they are: `redis+sentinel://…/cars?sentinel_password=…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis+sentinel://{}/{SERVICE}?sentinel_password={PASSWORD}",
            RedisSet::hosts(self.sentinels())
        )
    }

    /// Their primary, whichever it is at the time.
    #[must_use]
    pub fn server(&self) -> RedisServer {
        RedisServer::at(&self.url())
    }

    /// Has the sentinels make another server the primary, and waits until they have.
    ///
    /// # Errors
    /// If they refuse.
    pub async fn fail_over(&self) -> anyhow::Result<()> {
        let before = self.primary().await?;
        self.set
            .ask_with::<()>(PASSWORD, self.sentinels()[0], &format!("SENTINEL FAILOVER {SERVICE}"))
            .await?;
        self.until_another_than(before).await;
        Ok(())
    }

    /// Ends the primary without asking it (SIGKILL), and waits until the sentinels have made another server it.
    ///
    /// # Errors
    /// If there is none.
    pub async fn kill_primary(&self) -> anyhow::Result<()> {
        let before = self.primary().await?;
        self.set.kill(before).await?;
        self.until_another_than(before).await;
        Ok(())
    }

    fn sentinels(&self) -> &[u16] {
        &self.set.ports()[SERVERS..]
    }

    async fn primary(&self) -> anyhow::Result<u16> {
        port_of(&server_of(&self.url(), "").await?)
    }

    async fn until_another_than(&self, before: u16) {
        let patience = Patience::new(AGREED, "the sentinels agree on another primary");
        loop {
            match self.primary().await {
                Ok(now) if now != before => return,
                other => patience.look_again(&other).await,
            }
        }
    }

    async fn until_all_is_known(&self) {
        let patience = Patience::new(AGREED, "sentinels and replicas know each other");
        while let Err(error) = self.all_is_known().await {
            patience.look_again(&error).await;
        }
    }

    async fn all_is_known(&self) -> anyhow::Result<()> {
        for sentinel in self.sentinels() {
            self.set.ask_with::<String>(PASSWORD, *sentinel, &format!("SENTINEL CKQUORUM {SERVICE}")).await?;
            let known: Vec<String> =
                self.set.ask_with(PASSWORD, *sentinel, &format!("SENTINEL MASTER {SERVICE}")).await?;
            let field = |name: &str| {
                let at = known.iter().position(|field| field == name).context("no such field")?;
                known.get(at + 1).context("a field without a value")
            };
            let (replicas, others) = (field("num-slaves")?, field("num-other-sentinels")?);
            ensure!(replicas == "2" && others == "2", "{replicas} replicas and {others} others are known");
        }
        let primary: String = self.set.ask(self.set.ports()[0], "INFO replication").await?;
        ensure!(primary.matches("state=online").count() == 2, "{primary}");
        Ok(())
    }
}
