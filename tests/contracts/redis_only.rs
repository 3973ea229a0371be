//! What only a Redis server can do to a stream and to a feed: lose its group, trim it, cut a connection under a
//! read, keep what nobody needs any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use processor_codec::{Limits, RecordCodec};
use processor_domain::ports::{Observed, PositionFeed, PositionStream, StreamError, SystemClock};
use processor_domain::{Delivery, EntryId, Outcome, Settled};
use processor_redis::{
    ConnectError, RedisFeedSettings, RedisPositionFeed, RedisPositionStream, RedisStreamSettings,
};
use processor_tests::{RedisServer, eventually, records, unique};
use redis::FromRedisValue;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamInfoGroup, StreamInfoGroupsReply};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

mod a_connection_that_breaks;
mod a_group_that_vanishes;
mod a_live_feed;
mod a_server_that_will_not_do;
mod a_slot_that_moves;
mod a_trimmed_stream;
mod consumers_that_are_gone;
mod entries_left_pending;
mod instances_that_are_gone;

/// How long a stream may take to be itself again after whatever was done to it.
const SOON: Duration = Duration::from_secs(5);

/// The caller's, after a failure.
const BACK_OFF: Duration = Duration::from_millis(100);

/// A stream of its own on a server, with a connection to do things to it.
struct Lab {
    server: RedisServer,
    stream: String,
    redis: MultiplexedConnection,
}

impl Lab {
    async fn new() -> anyhow::Result<Self> {
        Self::on(RedisServer::start().await?).await
    }

    async fn on(server: RedisServer) -> anyhow::Result<Self> {
        let redis = server.connection().await?;
        Ok(Self { server, stream: unique("telemetry"), redis })
    }

    /// Consumers of a shared server are told apart by the stream.
    fn consumer(&self, name: &str) -> String {
        format!("{name}-{}", self.stream)
    }

    fn settings(&self, consumer: &str) -> RedisStreamSettings {
        RedisStreamSettings::new(self.server.url(), &self.stream, self.consumer(consumer))
    }

    async fn open(&self, consumer: &str) -> anyhow::Result<Arc<RedisPositionStream>> {
        Ok(Arc::new(open(self.settings(consumer)).await?))
    }

    fn feed_settings(&self, instance: &str) -> RedisFeedSettings {
        RedisFeedSettings::new(self.server.url(), &self.stream, self.consumer(instance))
    }

    async fn follow(&self, instance: &str) -> anyhow::Result<Arc<RedisPositionFeed>> {
        Ok(Arc::new(follow(self.feed_settings(instance)).await?))
    }

    /// The groups of the stream, in alphabetical order.
    async fn groups(&self) -> anyhow::Result<Vec<StreamInfoGroup>> {
        let StreamInfoGroupsReply { mut groups } = self.run("XINFO GROUPS STREAM").await?;
        groups.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(groups)
    }

    /// Their names.
    async fn group_names(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.groups().await?.into_iter().map(|group| group.name).collect())
    }

    /// The name of an instance's group.
    fn live_group(&self, instance: &str) -> String {
        format!("live-broadcast-{}", self.consumer(instance))
    }

    /// Runs a command; `STREAM` stands for the name of the stream.
    async fn run<T: FromRedisValue>(&self, command: &str) -> anyhow::Result<T> {
        let mut words = command.split(' ').map(|word| if word == "STREAM" { &self.stream } else { word });
        let mut cmd = redis::cmd(words.next().unwrap_or_default());
        words.for_each(|word| {
            cmd.arg(word);
        });
        cmd.query_async(&mut self.redis.clone()).await.with_context(|| command.to_owned())
    }

    /// Appends so many records, and returns their ids.
    async fn add(&self, count: u32) -> anyhow::Result<Vec<EntryId>> {
        let mut commands = redis::pipe();
        for sample in records(count, 1) {
            commands.cmd("XADD").arg(&self.stream).arg("*").arg("payload").arg(&sample.payload[..]);
        }
        let ids: Vec<String> = commands.query_async(&mut self.redis.clone()).await?;
        Ok(ids.iter().map(|id| id.parse()).collect::<Result<_, _>>()?)
    }

    async fn pending(&self) -> anyhow::Result<u64> {
        let pending: Vec<redis::Value> = self.run("XPENDING STREAM processor - + 100000").await?;
        Ok(pending.len() as u64)
    }

    /// Waits until a read of this consumer is held back by the server.
    async fn until_blocked(&self, consumer: &str) {
        self.until_waiting(consumer, "reader").await;
    }

    /// Waits until a read on this consumer's connection for this purpose is held back by the server.
    async fn until_waiting(&self, consumer: &str, purpose: &str) {
        let name = format!("name={}:{purpose} ", self.consumer(consumer));
        eventually(SOON, "a read is held back", async || {
            let clients: String = self.run("CLIENT LIST").await.map_err(|error| error.to_string())?;
            let waits = clients
                .lines()
                .any(|line| line.contains(&name) && line.contains("cmd=xreadgroup") && blocked(line));
            if waits { Ok(()) } else { Err(clients) }
        })
        .await;
    }

    /// Cuts this consumer's connection for this purpose.
    async fn kill(&self, consumer: &str, purpose: &str) -> anyhow::Result<()> {
        let clients: String = self.run("CLIENT LIST").await?;
        let name = format!("name={}:{purpose} ", self.consumer(consumer));
        let mut killed = 0;
        for line in clients.lines().filter(|line| line.contains(&name)) {
            let id = line.split(' ').find_map(|field| field.strip_prefix("id=")).unwrap_or_default();
            killed += self.run::<u32>(&format!("CLIENT KILL ID {id}")).await?;
        }
        ensure!(killed > 0, "no {name} to kill in:\n{clients}");
        Ok(())
    }
}

/// Whether a line of `CLIENT LIST` shows a client that is blocked.
fn blocked(line: &str) -> bool {
    line.split(' ').find_map(|field| field.strip_prefix("flags=")).is_some_and(|flags| flags.contains('b'))
}

async fn open(settings: RedisStreamSettings) -> Result<RedisPositionStream, ConnectError> {
    RedisPositionStream::connect(settings, RecordCodec::new(Limits::default()), Arc::new(SystemClock)).await
}

async fn follow(settings: RedisFeedSettings) -> Result<RedisPositionFeed, ConnectError> {
    RedisPositionFeed::connect(settings, RecordCodec::new(Limits::default()), Arc::new(SystemClock)).await
}

/// The next so many entries.
async fn take(stream: &RedisPositionStream, count: usize) -> anyhow::Result<Vec<Delivery>> {
    let mut received = Vec::new();
    let taking = async {
        while received.len() < count {
            received.extend(stream.next_batch().await?);
        }
        anyhow::Ok(())
    };
    let taken = timeout(SOON, taking).await;
    taken.with_context(|| format!("{} of {count} entries were delivered", received.len()))??;
    Ok(received)
}

async fn acknowledge(stream: &RedisPositionStream, received: Vec<Delivery>) -> anyhow::Result<()> {
    Ok(stream.acknowledge(&settle(received)).await?)
}

fn settle(received: Vec<Delivery>) -> Vec<Settled> {
    received.into_iter().map(|delivery| delivery.receipt.settle(Outcome::Stored)).collect()
}

fn ids(received: &[Delivery]) -> Vec<EntryId> {
    received.iter().map(|delivery| delivery.receipt.entry_id()).collect()
}

fn observed_ids(seen: &[Observed]) -> Vec<EntryId> {
    seen.iter().map(|observed| observed.entry_id).collect()
}

/// Reads or follows on and on, as the program does, and remembers what came; acknowledges it if told to.
struct Reading {
    received: Arc<Mutex<Vec<EntryId>>>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Reading {
    fn of(stream: &Arc<RedisPositionStream>, acknowledges: bool) -> Self {
        let stream = Arc::clone(stream);
        Self::by(move || {
            let stream = Arc::clone(&stream);
            async move {
                let batch = stream.next_batch().await?;
                let entries = ids(&batch);
                let settled = settle(batch);
                while acknowledges && stream.acknowledge(&settled).await.is_err() {
                    sleep(BACK_OFF).await;
                }
                Ok(entries)
            }
        })
    }

    fn following(feed: &Arc<RedisPositionFeed>) -> Self {
        let feed = Arc::clone(feed);
        Self::by(move || {
            let feed = Arc::clone(&feed);
            async move { Ok(observed_ids(&feed.follow().await?)) }
        })
    }

    fn by<F>(mut next: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<EntryId>, StreamError>> + Send,
    {
        let (received, stop) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicBool>::default());
        let (all, stopping) = (Arc::clone(&received), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            while !stopping.load(Ordering::SeqCst) {
                match next().await {
                    Ok(entries) => all.lock().unwrap_or_else(PoisonError::into_inner).extend(entries),
                    Err(_) => sleep(BACK_OFF).await,
                }
            }
        });
        Self { received, stop, task }
    }

    fn received(&self) -> Vec<EntryId> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all of `expected` have come.
    async fn until(&self, expected: &[EntryId]) {
        eventually(SOON, "all entries are delivered", async || {
            let received = self.received();
            let missing = expected.iter().filter(|id| !received.contains(id)).count();
            if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} are missing", expected.len())) }
        })
        .await;
    }

    /// What came, in the order in which it came.
    async fn end(self) -> anyhow::Result<Vec<EntryId>> {
        self.stop.store(true, Ordering::SeqCst);
        timeout(SOON, self.task).await.context("the read does not end")??;
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(received)
    }
}
