//! The real parts: servers, a network that breaks, and two instances of the program.

use std::time::Duration;

use anyhow::ensure;
use processor_tests::{
    Account, DeviceNaming, DirectusStub, DirectusTables, Ledger, Processor, ProcessorBuilder, Proxy,
    RedisServer, Signal, TimescaleServer, connect_database, records, unique,
};
use redis::AsyncCommands;
use redis::streams::StreamMaxlen;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::audience::{RALLY, let_in};

const GROUP: &str = "processor";

pub(crate) struct Scene {
    redis: RedisServer,
    database: TimescaleServer,
    to_redis: Proxy,
    to_database: Proxy,
    database_url: String,
    /// Answers for as long as it is there.
    _directus: DirectusStub,
    stream: String,
    steady: Processor,
    struck: Processor,
    again: ProcessorBuilder,
}

impl Scene {
    /// Everything runs, and these devices take part in an event.
    pub(crate) async fn set(devices: u32) -> anyhow::Result<Self> {
        let redis = RedisServer::start_with(RedisServer::DURABLE).await?;
        let database = TimescaleServer::start_with(&["-c", "fsync=on"]).await?;
        let database_url = database.create_database().await?;
        let directus = DirectusStub::start().await?;
        let_in(&directus);
        let cars = records(devices, 1).filter_map(|sample| sample.key).map(|(device, _)| device);
        DirectusTables::create(&database_url, DeviceNaming::ByKey).await?.enter(RALLY, cars).await?;
        let (to_redis, to_database) = (Proxy::to(redis.url())?, Proxy::to(&database_url)?);
        let stream = unique("telemetry");
        let instance = |name| {
            Processor::builder()
                .env("INSTANCE_ID", name)
                .env("REDIS_URL", to_redis.url())
                .env("REDIS_TELEMETRY_STREAM", &stream)
                .env("DATABASE_URL", to_database.url())
                .env("DIRECTUS_URL", directus.url())
                // What is in hand at one fault after another is not to be set aside.
                .env("REDIS_MAX_DELIVERIES", "0")
                .env("LOG_LEVEL", "warn,processor::run=info")
        };
        let (steady, again) = (instance("steady"), instance("struck"));
        let (steady, struck) = (steady.start().await?, again.start().await?);
        Ok(Self {
            redis,
            database,
            to_redis,
            to_database,
            database_url,
            _directus: directus,
            stream,
            steady,
            struck,
            again,
        })
    }

    pub(crate) const fn redis(&self) -> &RedisServer {
        &self.redis
    }

    pub(crate) const fn database(&self) -> &TimescaleServer {
        &self.database
    }

    pub(crate) const fn to_redis(&self) -> &Proxy {
        &self.to_redis
    }

    pub(crate) const fn to_database(&self) -> &Proxy {
        &self.to_database
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// The instance that lives from beginning to end.
    pub(crate) const fn steady(&self) -> &Processor {
        &self.steady
    }

    /// The instance that is killed and stopped.
    pub(crate) const fn struck(&mut self) -> &mut Processor {
        &mut self.struck
    }

    pub(crate) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.struck = self.again.start().await?;
        Ok(())
    }

    /// Waits until the account closes.
    pub(crate) async fn settled(&self, ledger: &Ledger, limit: Duration) -> Account {
        ledger.until_settled(limit, &self.redis, &self.database_url, GROUP).await
    }

    /// Empties table and stream; everything on the stream has been settled.
    pub(crate) async fn clear(&self) -> anyhow::Result<()> {
        let database = connect_database(&self.database_url).await?;
        database.execute_unprepared("TRUNCATE positions").await?;
        database.close().await?;
        let _: usize = self.redis.connection().await?.xtrim(&self.stream, StreamMaxlen::Equals(0)).await?;
        Ok(())
    }

    /// Connections that the servers have from anybody: to Redis, and to the database of this soak.
    pub(crate) async fn connections(&self) -> anyhow::Result<(u64, u64)> {
        let clients: String = redis::cmd("CLIENT")
            .arg("LIST")
            .arg("TYPE")
            .arg("normal")
            .query_async(&mut self.redis.connection().await?)
            .await?;
        let database = connect_database(&self.database_url).await?;
        let sql = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND backend_type = 'client backend'";
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let backends: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        database.close().await?;
        Ok((clients.lines().count() as u64, backends.unsigned_abs()))
    }

    /// Both instances are asked to stop, and have nothing to complain of.
    ///
    /// # Errors
    /// If one does not end with 0 in time, or the steady one has counted losses.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        let metrics = self.steady.metrics().await?;
        for (name, labels) in [
            ("processor_trimmed_unread_total", &[][..]),
            ("processor_group_recreated_total", &[][..]),
            ("processor_records_total", &[("outcome", "lost_pending")][..]),
            ("processor_records_total", &[("outcome", "dead_lettered")][..]),
        ] {
            let value = metrics.value(name, labels);
            ensure!(value == Some(0.0), "{name} {labels:?} is {value:?}");
        }
        for instance in [&mut self.steady, &mut self.struck] {
            instance.signal(Signal::SIGTERM)?;
            let code = instance.wait_exit(Duration::from_secs(30)).await?;
            ensure!(code == 0, "an instance ended with {code}");
        }
        Ok(())
    }
}
