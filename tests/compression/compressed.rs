use std::time::Duration;

use anyhow::Context;
use processor_database::{Database, DatabaseSettings};
use processor_migration::{MigrationError, MigrationSettings, migrate};
use processor_tests::{TimescaleServer, connect_database};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// A database whose positions can be compressed, and are when a test says so.
pub(crate) struct Compressed {
    pub(crate) database: Database,
    /// For the test, which does not compete with the program for its connections.
    outside: DatabaseConnection,
    _server: TimescaleServer,
}

impl Compressed {
    /// A new one.
    ///
    /// # Errors
    /// If the edition of TimescaleDB does not compress, with what to do about it.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with_limit(100_000).await
    }

    /// One where a statement takes no more rows than this out of compressed chunks.
    pub(crate) async fn start_with_limit(rows: u32) -> anyhow::Result<Self> {
        let server = TimescaleServer::start().await?;
        let url = server.create_database().await?;
        let name = url.rsplit('/').next().and_then(|name| name.split('?').next()).unwrap_or_default();
        server
            .exec(&format!(
                "ALTER DATABASE {name} SET timescaledb.max_tuples_decompressed_per_dml_transaction = {rows}"
            ))
            .await?;
        let database = Database::connect(DatabaseSettings::of(&url)).await?;
        let settings = MigrationSettings {
            // So old that only the test compresses.
            compress_after: Some(Duration::from_hours(24 * 365 * 100)),
            ..MigrationSettings::default()
        };
        match migrate(database.connection(), &settings).await {
            Err(error @ MigrationError::Compression(_)) => Err(error).context(
                "these tests need the Community edition of TimescaleDB, 2.19.1 or newer: name an image of it in \
                 PROCESSOR_TEST_TIMESCALE_IMAGE (timescale/timescaledb:2.19.3-pg17), or a server that has it in \
                 PROCESSOR_TEST_DATABASE_URL",
            )?,
            migrated => migrated?,
        };
        let outside = connect_database(&url).await?;
        Ok(Self { database, outside, _server: server })
    }

    /// Compresses all chunks, those again that were written into.
    pub(crate) async fn compress(&self) -> anyhow::Result<()> {
        self.number("SELECT count(compress_chunk(chunk)) FROM show_chunks('positions') chunk").await?;
        Ok(())
    }

    /// Takes all chunks apart again.
    pub(crate) async fn decompress(&self) -> anyhow::Result<()> {
        self.number("SELECT count(decompress_chunk(chunk, true)) FROM show_chunks('positions') chunk")
            .await?;
        Ok(())
    }

    /// Sees to it that the server does refuse what is beyond the limit, so that a test has met it.
    pub(crate) async fn assert_limit(&self) -> anyhow::Result<()> {
        let all = self.outside.execute_unprepared("UPDATE positions SET priority = priority").await;
        let error = all.err().context("a statement may decompress everything")?.to_string();
        anyhow::ensure!(error.contains("decompression limit"), "{error}");
        Ok(())
    }

    /// One number that the database knows.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let row = self.outside.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        Ok(row.context("no row")?.try_get_by_index(0)?)
    }
}
