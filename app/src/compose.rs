//! Puts the parts together: which implementation stands behind each port.

mod admin;
mod live;
mod source;

use std::sync::Arc;
use std::time::Duration;

use processor_codec::RecordCodec;
use processor_database::{Database, DatabaseSettings};
use processor_domain::ports::SystemClock;
use processor_domain::rules::RuleSet;
use processor_ingest::{BatchTraces, FirstThatKeeps, Ingest, IngestSettings, Ports};
use processor_migration::{MigrationSettings, Report};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use self::admin::admin;
pub(crate) use self::live::{Audience, live};
pub(crate) use self::source::Source;
use crate::config::Config;
use crate::telemetry;

/// How the database is used.
pub(crate) fn database_settings(config: &Config) -> DatabaseSettings {
    DatabaseSettings {
        writers: config.database.writers,
        statement_timeout: config.database.statement_timeout,
        ..DatabaseSettings::of(config.database.url.clone())
    }
}

/// The database, reached.
pub(crate) async fn database(config: &Config, stop: &CancellationToken) -> anyhow::Result<Database> {
    let settings = database_settings(config);
    reach("the database", config.start_timeout, stop, || async {
        let connected = Database::connect(settings.clone()).await;
        connected.map_err(|error| Attempt {
            may_pass: matches!(error, processor_database::ConnectError::Unreachable(_)),
            error: error.into(),
        })
    })
    .await
}

/// Brings the schema up to date.
pub(crate) async fn migrate(config: &Config, database: &Database) -> anyhow::Result<Report> {
    let settings = MigrationSettings {
        chunk_interval: config.database.chunk_interval,
        compress_after: config.database.compress_after,
        ..MigrationSettings::default()
    };
    Ok(processor_migration::migrate(database.connection(), &settings).await?)
}

/// The ingest river between these.
pub(crate) fn ingest(config: &Config, source: &Source, database: &Database) -> Ingest {
    let ports = Ports {
        streams: source.streams.clone(),
        groups: source.groups.clone(),
        store: database.position_store(),
        memory: database.device_memory(Arc::new(SystemClock)),
        marks: database.marks(),
        dead_letters: Arc::new(FirstThatKeeps::new(
            Arc::clone(&source.dead_letters),
            database.dead_letters(&config.instance_id, RecordCodec::encode),
        )),
        dead_letter_queues: [
            Arc::clone(&source.dead_letter_queue),
            database.for_operators().dead_letter_queue(),
        ],
        clock: Arc::new(SystemClock),
    };
    let settings = IngestSettings { traces: traces(config), ..config.ingest.clone() };
    Ingest::new(ports, RuleSet::standard(), settings)
}

/// How batches are traced: what their spans say of where they come from and go.
fn traces(config: &Config) -> Option<BatchTraces> {
    config.telemetry.as_ref()?;
    let redis = config.redis.as_ref();
    Some(BatchTraces {
        stream_system: if redis.is_some() { "redis" } else { "embedded" },
        consumer_group: redis.map_or("embedded", |redis| &redis.group).into(),
        store_system: if config.database.url.starts_with("sqlite:") { "sqlite" } else { "postgresql" },
        link: telemetry::link_span(),
    })
}

/// A failed attempt to reach a service.
struct Attempt {
    error: anyhow::Error,
    may_pass: bool,
}

/// Tries to reach a service until it is there, the time is over, or trying again cannot help.
async fn reach<T>(
    what: &str,
    patience: Duration,
    stop: &CancellationToken,
    attempt: impl AsyncFn() -> Result<T, Attempt>,
) -> anyhow::Result<T> {
    /// Between two attempts at the start, when nobody else depends on us yet.
    const PAUSE: Duration = Duration::from_millis(500);
    let deadline = Instant::now() + patience;
    let mut said = false;
    loop {
        let Attempt { error, may_pass } = match attempt().await {
            Ok(reached) => return Ok(reached),
            Err(failed) => failed,
        };
        if !may_pass || Instant::now() + PAUSE > deadline || stop.is_cancelled() {
            return Err(error.context(format!("{what} cannot be used")));
        }
        if !said {
            said = true;
            tracing::warn!(error = format!("{error:#}"), "{what} is not there yet, trying again");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return Err(error.context("stopped while waiting"));
        }
    }
}
