use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use processor_tests::{
    Account, Ledger, Processor, ProcessorBuilder, RedisServer, TimescaleServer, connect_database, eventually,
    unique,
};
use redis::FromRedisValue;
use redis::streams::StreamPendingReply;
use sea_orm::{ConnectionTrait, DbBackend, Statement, TryGetable};

use crate::SOON;

/// The group that the program reads with, and the name that it reads under, unless it is told another.
pub(crate) const GROUP: &str = "processor";
pub(crate) const CONSUMER: &str = "processor-1";

/// What the program sends to PostgreSQL at the end of a COPY.
pub(crate) const END_OF_COPY: [u8; 5] = [b'c', 0, 0, 0, 4];

/// Servers, a stream of its own and a database of its own.
pub(crate) struct Stage {
    pub(crate) redis: Arc<RedisServer>,
    pub(crate) timescale: TimescaleServer,
    pub(crate) stream: String,
    pub(crate) database_url: String,
}

impl Stage {
    /// Servers that the story leaves alone.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::on(RedisServer::start().await?, TimescaleServer::start().await?).await
    }

    /// A Redis that the story may do anything to.
    pub(crate) async fn with_its_own_redis() -> anyhow::Result<Self> {
        Self::on(RedisServer::start_alone().await?, TimescaleServer::start().await?).await
    }

    /// A database server that the story may do anything to.
    pub(crate) async fn with_its_own_database() -> anyhow::Result<Self> {
        Self::on(RedisServer::start().await?, TimescaleServer::start_alone().await?).await
    }

    pub(crate) async fn on(redis: RedisServer, timescale: TimescaleServer) -> anyhow::Result<Self> {
        let database_url = timescale.create_database().await?;
        Ok(Self { redis: Arc::new(redis), timescale, stream: unique("telemetry"), database_url })
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::of(&self.stream)
    }

    /// The program, set up for this stage.
    pub(crate) fn processor(&self) -> ProcessorBuilder {
        Processor::builder()
            .env("REDIS_URL", self.redis.url())
            .env("REDIS_TELEMETRY_STREAM", &self.stream)
            .env("DATABASE_URL", &self.database_url)
    }

    /// Waits until the account closes.
    pub(crate) async fn settled(&self, ledger: &Ledger) -> Account {
        self.settled_within(SOON, ledger).await
    }

    pub(crate) async fn settled_within(&self, limit: Duration, ledger: &Ledger) -> Account {
        ledger.until_settled(limit, &self.redis, &self.database_url, GROUP).await
    }

    /// Asks Redis, in the words of its own language; `$stream` and `$group` stand for the names of this stage.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &str) -> anyhow::Result<T> {
        let command = command.replace("$stream", &self.stream).replace("$group", GROUP);
        let mut words = command.split(' ');
        let mut asking = redis::cmd(words.next().unwrap_or_default());
        asking.arg(words.collect::<Vec<_>>());
        asking
            .query_async(&mut self.redis.connection_for(&self.stream).await?)
            .await
            .with_context(|| command.clone())
    }

    /// How many entries are delivered and not acknowledged.
    pub(crate) async fn pending(&self) -> anyhow::Result<usize> {
        let pending: StreamPendingReply = self.ask("XPENDING $stream $group").await?;
        Ok(pending.count())
    }

    /// Waits until so many entries as `wanted` are delivered and not acknowledged.
    pub(crate) async fn until_pending(&self, wanted: impl Fn(usize) -> bool) {
        eventually(SOON, "as many entries are pending as expected", async || match self.pending().await {
            Ok(pending) if wanted(pending) => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// Waits until somebody waits for entries; on a Redis of its own, for nobody else is told apart.
    pub(crate) async fn until_a_read_waits(&self) {
        eventually(SOON, "a read waits for entries", async || {
            let clients: String = self.ask("INFO clients").await?;
            if clients.contains("\nblocked_clients:1\r") { Ok(()) } else { Err(anyhow::Error::msg(clients)) }
        })
        .await;
    }

    /// What the first column of the rows says that the database answers with.
    pub(crate) async fn query<T: TryGetable>(&self, sql: &str) -> anyhow::Result<Vec<T>> {
        query(&self.database_url, DbBackend::Postgres, sql).await
    }

    /// How many rows there are.
    pub(crate) async fn rows(&self) -> anyhow::Result<i64> {
        let count = self.query("SELECT count(*) FROM positions").await?;
        count.first().copied().context("a count is a row")
    }
}

/// What the first column of the rows says that the database at `url` answers with.
pub(crate) async fn query<T: TryGetable>(url: &str, backend: DbBackend, sql: &str) -> anyhow::Result<Vec<T>> {
    let database = connect_database(url).await?;
    let rows = database.query_all_raw(Statement::from_string(backend, sql)).await?;
    let found = rows.into_iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    database.close().await?;
    Ok(found)
}
