use std::sync::Arc;
use std::time::Duration;

use futures::future::{try_join, try_join_all};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::{self, ConnectOptions, Executor, PgPool};

use super::writers::Writers;
use crate::DatabaseSettings;

/// Longest that asking whether the server is there may take.
pub(crate) const PING_LIMIT: Duration = Duration::from_secs(2);

/// Connections for what serves and reads.
const READERS: u32 = 2;

/// Connections by purpose, so that none waits for another: what reads, or is dropped halfway by whoever asked,
/// never has a connection that writes, and health is told even when all of them are busy.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    pub(crate) writers: Arc<Writers>,
    pub(crate) readers: PgPool,
    /// For operators who ask: nobody who serves waits for them.
    pub(crate) operators: PgPool,
    /// For whoever exports: a page at a time, and nobody else waits for it.
    pub(crate) history: PgPool,
    /// For operators who mark positions, and for those who ask what was marked.
    pub(crate) marks: PgPool,
    pub(crate) health: PgPool,
}

impl Pools {
    /// Pools that connect when they are first used.
    pub(crate) fn new(settings: &DatabaseSettings) -> Result<Self, sqlx::Error> {
        let options = connect_options(settings)?;
        // Keys are looked up one by one, whatever the planner thinks of its statistics.
        let writing =
            options.clone().options(["seqscan", "hashjoin", "mergejoin"].map(|way| (enable(way), "off")));
        // A plan for any device and any span would have TimescaleDB take whole compressed chunks apart.
        let marking = writing.clone().options([("plan_cache_mode", "force_custom_plan")]);
        let writers = settings.writers.get();
        Ok(Self {
            writers: Writers::new(
                pool(settings.acquire_timeout).max_connections(writers).connect_lazy_with(writing),
                writers,
                settings.acquire_timeout,
            ),
            readers: pool(settings.acquire_timeout)
                .max_connections(READERS)
                .connect_lazy_with(options.clone()),
            operators: pool(settings.acquire_timeout).max_connections(2).connect_lazy_with(options.clone()),
            history: pool(settings.acquire_timeout).max_connections(2).connect_lazy_with(options.clone()),
            marks: pool(settings.acquire_timeout).max_connections(2).connect_lazy_with(marking),
            health: pool(PING_LIMIT).max_connections(1).connect_lazy_with(options),
        })
    }

    /// Connects what writes and what reads.
    pub(crate) async fn open(&self) -> Result<(), sqlx::Error> {
        let readers = try_join_all((0..READERS).map(|_| self.readers.acquire()));
        try_join(self.writers.open(), readers).await?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.health.close().await;
        self.operators.close().await;
        self.history.close().await;
        self.marks.close().await;
        self.readers.close().await;
        self.writers.close().await;
    }
}

fn enable(way: &str) -> String {
    format!("enable_{way}")
}

fn connect_options(settings: &DatabaseSettings) -> Result<PgConnectOptions, sqlx::Error> {
    let millis = |time: Duration| time.as_millis().to_string();
    let options: PgConnectOptions = settings.url.parse()?;
    Ok(options
        .application_name("processor")
        .options([
            ("statement_timeout", millis(settings.statement_timeout)),
            ("lock_timeout", millis(settings.lock_timeout)),
            // Ends a transaction whose owner is gone or stuck, and with it the locks that it holds.
            ("idle_in_transaction_session_timeout", millis(settings.statement_timeout)),
            // Time for compiling is never won back by lookups by key.
            ("jit", "off".into()),
            // Notices are not for the log of a program.
            ("client_min_messages", "error".into()),
        ])
        // Lets the server find out that this end is gone.
        .options([
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
        ])
        .disable_statement_logging())
}

fn pool(acquire_timeout: Duration) -> PgPoolOptions {
    PgPoolOptions::new()
        .acquire_timeout(acquire_timeout)
        // A BEGIN whose future was dropped leaves a transaction open that the driver does not know of; the next
        // user's writes would vanish with it. ROLLBACK alone makes the server complain where there is none, and
        // in a failed transaction the BEGIN fails, which closes the connection.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.execute(sqlx::raw_sql("BEGIN; ROLLBACK")).await?;
                Ok(true)
            })
        })
}
