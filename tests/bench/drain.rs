//! The program, draining a backlog.

use std::time::{Duration, Instant};

use processor_migration::{MigrationSettings, migrate};
use processor_tests::{
    Processor, RedisServer, Signal, TimescaleServer, connect_database, peak_bytes, processor_time,
};
use redis::aio::MultiplexedConnection;
use redis::streams::StreamInfoGroupsReply;
use redis::{AsyncCommands, pipe};
use sea_orm::ConnectionTrait;

use crate::variant::Variant;

const GROUP: &str = "processor";
/// How exactly the beginning and the end are seen. Looking costs the server about 20 microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const AT_ONCE: usize = 5_000;

/// One run of the program.
pub(crate) struct Drained {
    pub(crate) records: u64,
    /// From the first entry read to the last one acknowledged.
    pub(crate) time: Duration,
    /// Processor time of the program in that time.
    pub(crate) cpu: Duration,
    /// Processor time of Redis, the start of the program included.
    pub(crate) redis_cpu: Duration,
    /// Processor time of PostgreSQL in that time.
    pub(crate) database_cpu: Duration,
    /// Most memory it ever had.
    pub(crate) peak_bytes: u64,
}

impl Drained {
    pub(crate) fn rate(&self) -> f64 {
        self.records as f64 / self.time.as_secs_f64()
    }

    /// Microseconds a record of some processor time.
    pub(crate) fn micros_a_record(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.records as f64
    }
}

/// Puts records onto a stream.
pub(crate) async fn fill(
    redis: &RedisServer,
    stream: &str,
    records: impl Iterator<Item = Box<[u8]>>,
) -> anyhow::Result<()> {
    let mut connection = redis.connection().await?;
    let mut records = records.peekable();
    while records.peek().is_some() {
        let mut commands = pipe();
        for record in records.by_ref().take(AT_ONCE) {
            commands.cmd("XADD").arg(stream).arg("*").arg("payload").arg(&*record).ignore();
        }
        let () = commands.query_async(&mut connection).await?;
    }
    Ok(())
}

/// An empty database with the schema, and nothing left to be written to the disk. Reached directly, as Redis is: what
/// the engine's proxy for published ports costs is nobody's merit or fault.
pub(crate) async fn fresh_database(timescale: &TimescaleServer) -> anyhow::Result<String> {
    let url = timescale.direct_url_of(&timescale.create_database().await?).await?;
    let database = connect_database(&url).await?;
    migrate(&database, &MigrationSettings::default()).await?;
    database.execute_unprepared("CHECKPOINT").await?;
    database.close().await?;
    Ok(url)
}

/// Lets the program drain a stream into a fresh database; the URL of that database is returned too.
pub(crate) async fn drain(
    redis: &RedisServer,
    timescale: &TimescaleServer,
    variant: Variant,
    settings: &[(String, String)],
) -> anyhow::Result<(Drained, String)> {
    let stream = variant.stream();
    let database = fresh_database(timescale).await?;
    let redis_url = redis.direct_url().await?;
    let mut connection = redis::Client::open(redis_url.as_str())?.get_multiplexed_async_connection().await?;
    let records: u64 = connection.xlen(stream).await?;
    // Whatever another run left; there is none the first time.
    let _: i64 = connection.xgroup_destroy(stream, GROUP).await?;
    let _: i64 = connection.del(format!("{stream}:dead")).await?;
    // Asking takes a while, so not when it has begun; a start costs the servers little.
    let (redis_before, database_before) = (redis.cpu().await?, timescale.cpu().await?);
    let mut program = settings
        .iter()
        .fold(Processor::builder(), |program, (name, value)| program.env(name, value))
        .env("REDIS_URL", redis_url)
        .env("DATABASE_URL", &database)
        .env("REDIS_TELEMETRY_STREAM", stream)
        .env("LOG_LEVEL", "warn,processor::run=info")
        .start()
        .await?;
    let pid = program.pid();
    let (began, cpu_before) = loop {
        match standing(&mut connection, stream).await? {
            Some((read, _)) if read > 0 => break (Instant::now(), processor_time(pid)?),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    };
    loop {
        match standing(&mut connection, stream).await? {
            Some((read, 0)) if read >= records => break,
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    let (time, cpu) = (began.elapsed(), processor_time(pid)?.saturating_sub(cpu_before));
    let redis_cpu = redis.cpu().await?.saturating_sub(redis_before);
    let database_cpu = timescale.cpu().await?.saturating_sub(database_before);
    let peak_bytes = peak_bytes(pid)?;
    program.signal(Signal::SIGTERM)?;
    let code = program.wait_exit(Duration::from_secs(10)).await?;
    anyhow::ensure!(code == 0, "the program ended with {code}");
    let dead: u64 = connection.xlen(format!("{stream}:dead")).await?;
    anyhow::ensure!(dead == variant.poison(records), "{dead} records were set aside");
    Ok((Drained { records, time, cpu, redis_cpu, database_cpu, peak_bytes }, database))
}

/// Entries read by the group, and entries pending.
async fn standing(
    connection: &mut MultiplexedConnection,
    stream: &str,
) -> anyhow::Result<Option<(u64, usize)>> {
    let groups: StreamInfoGroupsReply = connection.xinfo_groups(stream).await?;
    let group = groups.groups.into_iter().find(|group| group.name == GROUP);
    Ok(group.map(|group| (group.entries_read.unwrap_or(0) as u64, group.pending)))
}
