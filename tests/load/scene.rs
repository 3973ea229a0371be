//! Servers, a CMS, and the program between them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use processor_domain::Timestamp;
use processor_migration::{MigrationSettings, migrate};
use processor_tests::{
    DeviceNaming, DirectusStub, DirectusTables, Processor, RedisServer, Sample, Session, Signal,
    TimescaleServer, connect_database,
};
use redis::AsyncCommands;
use redis::streams::StreamInfoGroupsReply;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::options::{Measured, Options};

/// What everybody watches.
pub(crate) const EVENT: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000a1";

pub(crate) const STREAM: &str = "telemetry:load";

const GROUP: &str = "processor";

/// Sockets of one user.
const SOCKETS_OF_USER: usize = 50;

/// How long what is done at once may take on a machine that is busy.
const SOON: Duration = Duration::from_mins(1);

pub(crate) struct Scene {
    pub(crate) redis: RedisServer,
    pub(crate) database_url: String,
    pub(crate) program: Processor,
    _timescale: TimescaleServer,
    _directus: DirectusStub,
}

/// How far the group is with the stream.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Standing {
    pub(crate) read: u64,
    pub(crate) pending: u64,
    pub(crate) lag: u64,
}

/// The session that the viewer of this number shows.
pub(crate) fn session_of(viewer: usize) -> String {
    format!("session-{}", viewer / SOCKETS_OF_USER)
}

impl Scene {
    /// Starts everything; the program is ready then.
    pub(crate) async fn start(options: &Options) -> anyhow::Result<Self> {
        let redis = RedisServer::start_alone().await?;
        // Unlike in tests, a commit waits for the disk.
        let timescale = TimescaleServer::start_with(&["-c", "fsync=on"]).await?;
        let database_url = timescale.create_database().await?;
        let database = connect_database(&database_url).await?;
        migrate(&database, &MigrationSettings::default()).await?;
        database.close().await?;
        let tables = DirectusTables::create(&database_url, DeviceNaming::ByKey).await?;
        let device = |number| Sample::measured(number, 0, Timestamp::from_millis(0)).key;
        tables.enter(EVENT, (0..options.devices).filter_map(device).map(|(device, _)| device)).await?;
        let directus = DirectusStub::start().await?;
        let sockets = options.viewers + options.slow;
        for user in 0..=sockets / SOCKETS_OF_USER {
            let id = format!("0f1a7f8e-32ab-4f0e-9c7e-{user:012}");
            directus.begin(&session_of(user * SOCKETS_OF_USER), Session::Of(id.clone()));
            directus.allow(&id, EVENT);
        }
        let mut program = Processor::builder()
            .env("REDIS_URL", redis.url())
            .env("DATABASE_URL", &database_url)
            .env("REDIS_TELEMETRY_STREAM", STREAM)
            .env("DIRECTUS_URL", directus.url())
            .env("LIVE_TICK_MS", options.tick_millis.to_string())
            // Some come back before it is noticed that they were gone.
            .env("LIVE_MAX_SOCKETS", (2 * sockets).max(1).to_string())
            .env("LIVE_MAX_SOCKETS_PER_USER", (2 * SOCKETS_OF_USER).to_string())
            // It tells of every viewer whom it closes.
            .env("LOG_LEVEL", "warn,processor::run=info,processor_live::session=debug")
            .quiet();
        if options.measured == Measured::Ingest {
            // What waits for the table is to go on waiting, and to stay where it is.
            program =
                program.env("DATABASE_STATEMENT_TIMEOUT_MS", "600000").env("REDIS_CLAIM_IDLE_MS", "1800000");
        }
        let program = program.start().await?;
        program.until_ready(SOON).await;
        Ok(Self { redis, database_url, program, _timescale: timescale, _directus: directus })
    }

    pub(crate) async fn standing(&self) -> anyhow::Result<Standing> {
        let groups: StreamInfoGroupsReply = self.redis.connection().await?.xinfo_groups(STREAM).await?;
        let group =
            groups.groups.into_iter().find(|group| group.name == GROUP).context("there is no group")?;
        Ok(Standing {
            read: group.entries_read.unwrap_or(0) as u64,
            pending: group.pending as u64,
            lag: group.lag.unwrap_or(0) as u64,
        })
    }

    /// Rows in the table.
    pub(crate) async fn rows(&self) -> anyhow::Result<u64> {
        let database = connect_database(&self.database_url).await?;
        let count = Statement::from_string(DbBackend::Postgres, "SELECT count(*) FROM positions");
        let count = database.query_one_raw(count).await?.context("a count is a row")?;
        let rows: i64 = count.try_get_by_index(0)?;
        database.close().await?;
        Ok(u64::try_from(rows)?)
    }

    /// What went wrong in the program, by its own account.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut lines = self.program.lines_with(r#""level":"WARN""#);
        lines.extend(self.program.lines_with(r#""level":"ERROR""#));
        lines
    }

    /// Viewers whom the program has closed, by code. Who reads slowly hears of it much later.
    pub(crate) fn closed(&self) -> String {
        let mut codes = BTreeMap::<String, u64>::new();
        for line in self.program.lines_with("closing a viewer's socket") {
            let code = line.split_once(r#""code":"#).map_or("", |(_, rest)| rest);
            let digits = code.bytes().take_while(u8::is_ascii_digit).count();
            *codes.entry(code[..digits].to_owned()).or_default() += 1;
        }
        let said: Vec<String> = codes.iter().map(|(code, count)| format!("{count} with {code}")).collect();
        if said.is_empty() { "none".to_owned() } else { said.join(", ") }
    }

    /// Asks the program to stop, and waits until it has.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.program.signal(Signal::SIGTERM)?;
        let code = self.program.wait_exit(SOON).await?;
        anyhow::ensure!(code == 0, "the program ended with {code}");
        Ok(())
    }
}
