//! Databases with the schema in them, for the suites of the ports that they serve.

use std::path::PathBuf;

use processor_database::entity::positions::{Column, Entity, Model};
use processor_database::{Database, DatabaseSettings};
use processor_migration::{MigrationSettings, migrate};
use processor_tests::{TimescaleServer, unique};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryOrder, Statement};

/// An empty database of one kind.
pub(crate) trait DatabaseFixture: Sized {
    /// A new one, with the schema.
    async fn start() -> anyhow::Result<Self>;

    fn database(&self) -> &Database;
}

/// TimescaleDB.
pub(crate) struct Timescale {
    pub(crate) server: TimescaleServer,
    /// Where its own database is.
    pub(crate) url: String,
    pub(crate) database: Database,
}

impl Timescale {
    /// A server of its own, for a test that stops it.
    pub(crate) async fn start_alone() -> anyhow::Result<Self> {
        Self::on(TimescaleServer::start_alone().await?, |_| {}).await
    }

    pub(crate) async fn on(
        server: TimescaleServer,
        change: impl FnOnce(&mut DatabaseSettings),
    ) -> anyhow::Result<Self> {
        let url = server.create_database().await?;
        let mut settings = DatabaseSettings::of(&url);
        change(&mut settings);
        let database = Database::connect(settings).await?;
        migrate(database.connection(), &MigrationSettings::default()).await?;
        Ok(Self { server, url, database })
    }
}

impl DatabaseFixture for Timescale {
    async fn start() -> anyhow::Result<Self> {
        Self::on(TimescaleServer::start().await?, |_| {}).await
    }

    fn database(&self) -> &Database {
        &self.database
    }
}

/// A file of SQLite, removed in the end.
pub(crate) struct Sqlite {
    pub(crate) database: Database,
    file: PathBuf,
}

impl DatabaseFixture for Sqlite {
    async fn start() -> anyhow::Result<Self> {
        let file = std::env::temp_dir().join(unique("processor")).with_extension("sqlite");
        let database = Database::connect(DatabaseSettings::of(format!("sqlite:{}", file.display()))).await?;
        migrate(database.connection(), &MigrationSettings::default()).await?;
        Ok(Self { database, file })
    }

    fn database(&self) -> &Database {
        &self.database
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = self.file.clone().into_os_string();
            file.push(suffix);
            // What is not there need not be removed.
            std::fs::remove_file(file).ok();
        }
    }
}

/// All rows of `positions`, by device and time.
pub(crate) async fn rows(database: &Database) -> anyhow::Result<Vec<Model>> {
    let query = Entity::find().order_by_asc(Column::DeviceId).order_by_asc(Column::Ts);
    Ok(query.all(database.connection()).await?)
}

/// One number that a database on a server knows.
pub(crate) async fn number(connection: &DatabaseConnection, sql: &str) -> anyhow::Result<i64> {
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
}
