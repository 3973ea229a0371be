use std::time::Duration;

use anyhow::{Context, ensure};

use crate::RedisServer;
use crate::eventually::Patience;
use crate::key_connection::server_of;
use crate::redis_set::{RedisSet, port_of};

const PRIMARIES: usize = 3;

/// The first of the ports on which the nodes talk to each other; they are not seen outside.
const BUS: usize = 10_001;

/// How long the nodes may take to know each other, or to agree on who has a slot.
const AGREED: Duration = Duration::from_mins(1);

/// Three primaries with the slots divided among them, and a replica of each, for one test alone.
#[derive(Debug)]
pub struct RedisCluster {
    set: RedisSet,
}

/// A slot that is on its way: its keys are at the node where it is to be, and it is not.
#[derive(Debug)]
pub struct MovingSlot<'a> {
    cluster: &'a RedisCluster,
    slot: u16,
    target: u16,
    target_id: String,
}

impl RedisCluster {
    /// Starts a cluster of the usual image, and waits until it serves.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_of(None).await
    }

    /// As [`Self::start`], of another image than the usual one (`name:tag`): of Valkey, say.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start_image(image: &str) -> anyhow::Result<Self> {
        Self::start_of(Some(image)).await
    }

    async fn start_of(image: Option<&str>) -> anyhow::Result<Self> {
        let configuration = |_: &[u16], place: usize| {
            format!(
                "save \"\"\nrepl-diskless-sync-delay 0\ncluster-enabled yes\ncluster-node-timeout 3000\n\
             cluster-announce-ip 127.0.0.1\ncluster-port {}",
                BUS + place
            )
        };
        let join = |ports: &[u16]| {
            let nodes = RedisSet::hosts(ports).replace(',', " ");
            format!(
                "cli=$(command -v redis-cli || command -v valkey-cli)\n\
                 for port in {}; do until $cli -p $port PING; do sleep 0.1; done; done\n\
                 $cli --cluster create {nodes} --cluster-replicas 1 --cluster-yes",
                ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            )
        };
        let set = RedisSet::start(image, 2 * PRIMARIES, configuration, join).await?;
        let this = Self { set };
        this.until_it_serves().await;
        Ok(this)
    }

    /// Where it is: `redis+cluster://…`, all of its nodes.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+cluster://{}", RedisSet::hosts(self.set.ports()))
    }

    /// All of it, as a server of which keys are asked for by name.
    #[must_use]
    pub fn server(&self) -> RedisServer {
        RedisServer::at(&self.url())
    }

    /// Has the replica of the node that has `key` take its place, with nothing lost, and waits until it has.
    ///
    /// # Errors
    /// If it refuses.
    pub async fn fail_over(&self, key: &str) -> anyhow::Result<()> {
        let before = self.owner(key).await?;
        let replica = self.replica_of(before).await?;
        self.set.ask::<()>(replica, "CLUSTER FAILOVER").await?;
        self.until_owned_by(key, |owner| owner == replica).await;
        Ok(())
    }

    /// Ends the node that has `key` without asking it (SIGKILL), and waits until its replica has taken its place.
    ///
    /// # Errors
    /// If there is none.
    pub async fn kill_owner(&self, key: &str) -> anyhow::Result<()> {
        let before = self.owner(key).await?;
        self.set.kill(before).await?;
        self.until_owned_by(key, |owner| owner != before).await;
        Ok(())
    }

    /// Starts all nodes again that do not run, and waits until everything is as it was.
    ///
    /// # Errors
    /// If one does not start.
    pub async fn revive(&self) -> anyhow::Result<()> {
        for port in self.set.ports() {
            if self.set.ask::<()>(*port, "PING").await.is_err() {
                self.set.revive(*port).await?;
            }
        }
        self.until_it_serves().await;
        Ok(())
    }

    /// Takes the keys in the slot of `key` to another node. The slot itself follows with [`MovingSlot::arrive`].
    ///
    /// # Errors
    /// If a node refuses.
    pub async fn begin_to_move(&self, key: &str) -> anyhow::Result<MovingSlot<'_>> {
        let source = self.owner(key).await?;
        let slot: u16 = self.set.ask(source, &format!("CLUSTER KEYSLOT {key}")).await?;
        let mut target = None;
        for port in self.set.ports() {
            if *port != source && self.is_primary(*port).await? {
                target = Some(*port);
            }
        }
        let target = target.context("there is one primary only")?;
        let source_id: String = self.set.ask(source, "CLUSTER MYID").await?;
        let target_id: String = self.set.ask(target, "CLUSTER MYID").await?;
        self.set.ask::<()>(target, &format!("CLUSTER SETSLOT {slot} IMPORTING {source_id}")).await?;
        self.set.ask::<()>(source, &format!("CLUSTER SETSLOT {slot} MIGRATING {target_id}")).await?;
        let keys: Vec<String> = self.set.ask(source, &format!("CLUSTER GETKEYSINSLOT {slot} 1000")).await?;
        for key in keys {
            self.set.ask::<()>(source, &format!("MIGRATE 127.0.0.1 {target} {key} 0 5000")).await?;
        }
        Ok(MovingSlot { cluster: self, slot, target, target_id })
    }

    /// The port of the node that has `key`.
    ///
    /// # Errors
    /// If nobody says who it is.
    pub async fn owner(&self, key: &str) -> anyhow::Result<u16> {
        port_of(&server_of(&self.url(), key).await?)
    }

    async fn is_primary(&self, port: u16) -> anyhow::Result<bool> {
        let replication: String = self.set.ask(port, "INFO replication").await?;
        Ok(replication.contains("role:master"))
    }

    /// The replica of this node that follows it without delay.
    async fn replica_of(&self, primary: u16) -> anyhow::Result<u16> {
        let replication: String = self.set.ask(primary, "INFO replication").await?;
        let online = replication.lines().find(|line| line.contains("state=online")).context("no replica")?;
        let port = online.split([',', ':']).find_map(|field| field.strip_prefix("port="));
        Ok(port.context("a replica without a port")?.parse()?)
    }

    /// Waits until every node that runs says so.
    async fn until_owned_by(&self, key: &str, wanted: impl Fn(u16) -> bool) {
        let patience = Patience::new(AGREED, "the nodes agree on who has the slot");
        loop {
            match self.owners(key).await {
                Ok(owners) if !owners.is_empty() && owners.iter().all(|owner| wanted(*owner)) => return,
                other => patience.look_again(&other).await,
            }
        }
    }

    /// Who has the slot of a key, as each node says that runs.
    async fn owners(&self, key: &str) -> anyhow::Result<Vec<u16>> {
        let mut owners = Vec::new();
        for port in self.set.ports() {
            if self.set.ask::<()>(*port, "PING").await.is_ok() {
                owners.push(port_of(&server_of(&format!("redis+cluster://127.0.0.1:{port}"), key).await?)?);
            }
        }
        Ok(owners)
    }

    async fn until_it_serves(&self) {
        let patience = Patience::new(AGREED, "the cluster serves and has its replicas");
        while let Err(error) = self.serves().await {
            patience.look_again(&error).await;
        }
    }

    async fn serves(&self) -> anyhow::Result<()> {
        let mut replicas = 0;
        for port in self.set.ports() {
            let info: String = self.set.ask(*port, "CLUSTER INFO").await?;
            ensure!(info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:6"), "{info}");
            let replication: String = self.set.ask(*port, "INFO replication").await?;
            replicas += replication.matches("state=online").count();
        }
        ensure!(replicas == PRIMARIES, "{replicas} replicas are online");
        Ok(())
    }
}

impl MovingSlot<'_> {
    /// Has all nodes know that the slot is where its keys are.
    ///
    /// # Errors
    /// If a node refuses.
    pub async fn arrive(self) -> anyhow::Result<()> {
        let Self { cluster, slot, target, target_id } = self;
        let command = format!("CLUSTER SETSLOT {slot} NODE {target_id}");
        // First the one that has it now, so that at no time nobody has it.
        cluster.set.ask::<()>(target, &command).await?;
        for port in cluster.set.ports() {
            if *port != target && cluster.is_primary(*port).await.unwrap_or(false) {
                cluster.set.ask::<()>(*port, &command).await?;
            }
        }
        Ok(())
    }
}
