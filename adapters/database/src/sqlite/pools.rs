use std::time::Duration;

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{self, ConnectOptions};

use crate::DatabaseSettings;

/// Connections to one file.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    /// One connection, because SQLite lets one write at a time anyhow.
    pub(crate) writer: DatabaseConnection,
    pub(crate) readers: DatabaseConnection,
    pub(crate) history: DatabaseConnection,
    /// For operators who mark positions; it waits until nobody else writes.
    pub(crate) marks: DatabaseConnection,
}

impl Pools {
    /// Pools that connect when they are first used. The file is made if it is not there.
    pub(crate) fn new(settings: &DatabaseSettings) -> Result<Self, sqlx::Error> {
        let options: SqliteConnectOptions = settings.url.parse()?;
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit that returned is on disk. The next weaker setting saves one wait for the disk a batch
            // and may lose the last batches when the power goes.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(settings.lock_timeout)
            .disable_statement_logging();
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(settings.acquire_timeout)
                .idle_timeout(None::<Duration>)
                .max_lifetime(None::<Duration>)
                .connect_lazy_with(options.clone())
        };
        let writer: DatabaseConnection = pool(1).into();
        // What is in memory belongs to one connection and ends with it.
        let in_memory = settings.url.contains(":memory:") || settings.url.contains("mode=memory");
        let apart = |connections| if in_memory { writer.clone() } else { pool(connections).into() };
        Ok(Self { readers: apart(2), history: apart(2), marks: apart(1), writer })
    }

    pub(crate) async fn close(&self) -> Result<(), sea_orm::DbErr> {
        self.history.close_by_ref().await?;
        self.marks.close_by_ref().await?;
        self.readers.close_by_ref().await?;
        self.writer.close_by_ref().await
    }
}
