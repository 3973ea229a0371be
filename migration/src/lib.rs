//! The schema: ordered migrations for TimescaleDB, plain PostgreSQL and SQLite.
//!
//! [`migrate`] may be called by several instances at once: on PostgreSQL one of them works and the others wait
//! for it. It changes nothing that is already as it should be, and it takes a table `positions` that the
//! service before this one made as it is; see [`Report::adopted`].
//!
//! | function | for |
//! |---|---|
//! | [`migrate`] | the start of the program |
//! | [`status`], [`down`] | the operator |
//! | [`drop_old`] | retention, called again and again where a time to keep positions is configured |

mod column_store;
mod error;
mod lock;
mod m0001_positions;
mod m0002_dead_letters;
mod m0003_dead_letters_in_order;
mod m0004_marks;
mod retention;
mod settings;
mod storage;
mod unhurried;

use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, DynIden};

pub use error::MigrationError;
pub use retention::{Dropped, drop_old};
pub use settings::MigrationSettings;
pub use storage::{Edition, Storage};

use lock::MigrationLock;
use unhurried::unhurried;

/// The migrations, in order, with what they need to know.
struct Migrator {
    chunk_interval: std::time::Duration,
}

#[async_trait::async_trait]
impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_positions::Positions { chunk_interval: self.chunk_interval }),
            Box::new(m0002_dead_letters::DeadLetters),
            Box::new(m0003_dead_letters_in_order::DeadLettersInOrder),
            Box::new(m0004_marks::Marks),
        ]
    }

    /// Not the library's own name, because other programs that use it may live in the same database, and each
    /// takes the other's entries for missing migrations.
    fn migration_table_name(&self) -> DynIden {
        Alias::new("processor_migrations").into_iden()
    }
}

/// What [`migrate`] found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Names of the migrations applied now, in order; none if the schema was up to date.
    pub applied: Vec<String>,
    /// What `positions` is stored in.
    pub storage: Storage,
    /// Whether `positions` is a table that was there before the first migration: it keeps its keys, its
    /// indexes and its being a hypertable or not.
    pub adopted: bool,
}

/// One migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// Its name.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}

/// Brings the schema up to date.
///
/// Without TimescaleDB, `positions` becomes a plain table and one warning is logged.
///
/// # Errors
/// [`MigrationError`]; nothing is left half done, calling again goes on where it stopped.
pub async fn migrate(
    db: &DatabaseConnection,
    settings: &MigrationSettings,
) -> Result<Report, MigrationError> {
    let lock = MigrationLock::take(db, settings.lock_timeout).await?;
    let connection = unhurried(db).await?;
    let report = migrate_alone(&connection, settings).await;
    unhurried::close(connection).await;
    lock.release().await;
    report
}

async fn migrate_alone(
    db: &DatabaseConnection,
    settings: &MigrationSettings,
) -> Result<Report, MigrationError> {
    storage::install_timescale(db).await?;
    let migrator = Migrator { chunk_interval: settings.chunk_interval };
    let applied =
        migrator.get_pending_migrations(db).await?.iter().map(|pending| pending.name().to_owned()).collect();
    migrator.up(db, None).await?;
    let storage = Storage::of_positions(db).await?;
    let adopted = match db.get_database_backend() {
        DbBackend::Postgres => {
            m0001_positions::postgres::verify(db).await?;
            !m0001_positions::postgres::is_ours(db).await?
        }
        _ => false,
    };
    if !matches!(storage, Storage::Hypertable { .. } | Storage::Sqlite) {
        tracing::warn!(
            "positions is a plain table: without TimescaleDB's chunks, old positions are slow to drop and \
             indexes grow with all that was ever stored"
        );
    }
    column_store::arrange(db, &storage, settings.compress_after).await?;
    Ok(Report { applied, storage, adopted })
}

/// Every migration and whether the database has it. Changes nothing.
///
/// # Errors
/// [`MigrationError`] if the database cannot be asked, or has migrations that this program does not know.
pub async fn status(db: &DatabaseConnection) -> Result<Vec<MigrationState>, MigrationError> {
    let migrator = Migrator { chunk_interval: MigrationSettings::default().chunk_interval };
    Ok(migrator
        .get_migration_with_status_read_only(db)
        .await?
        .iter()
        .map(|migration| MigrationState {
            name: migration.name().to_owned(),
            applied: migration.status() == sea_orm_migration::MigrationStatus::Applied,
        })
        .collect())
}

/// Takes the last `steps` migrations back, all of them if `None`. Tables that they made go **with their
/// data**; a table `positions` that was there before stays.
///
/// # Errors
/// [`MigrationError`]; nothing is left half done.
pub async fn down(
    db: &DatabaseConnection,
    settings: &MigrationSettings,
    steps: Option<u32>,
) -> Result<(), MigrationError> {
    let lock = MigrationLock::take(db, settings.lock_timeout).await?;
    let connection = unhurried(db).await?;
    let migrator = Migrator { chunk_interval: settings.chunk_interval };
    let result = migrator.down(&connection, steps).await;
    unhurried::close(connection).await;
    lock.release().await;
    Ok(result?)
}
