use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::MigrationError;

/// What `positions` is stored in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// A hypertable of TimescaleDB.
    Hypertable {
        /// Version of the extension: major, minor, patch.
        version: (u32, u32, u32),
        /// Which edition it is.
        edition: Edition,
    },
    /// A plain table of PostgreSQL.
    PlainTable,
    /// A file of SQLite.
    Sqlite,
}

/// An edition of TimescaleDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// The Apache edition: no compression, no policies.
    Apache,
    /// The Community edition.
    Community,
}

/// The hypertable `positions`, the one that a statement without a schema means.
pub(crate) const IS_POSITIONS: &str = "hypertable_name = 'positions' AND hypertable_schema = (
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass('positions'))";

impl Storage {
    pub(crate) async fn of_positions(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(Self::Sqlite);
        }
        let Some((version, edition)) = timescale(db).await? else { return Ok(Self::PlainTable) };
        let hypertable = ask_bool(
            db,
            &format!("SELECT EXISTS (SELECT FROM timescaledb_information.hypertables WHERE {IS_POSITIONS})"),
        )
        .await?;
        Ok(if hypertable { Self::Hypertable { version, edition } } else { Self::PlainTable })
    }
}

/// Puts TimescaleDB into the database if the server has it and we may.
///
/// It is not tried where the server has not loaded the library, because the server then ends the session.
pub(crate) async fn install_timescale(db: &DatabaseConnection) -> Result<(), MigrationError> {
    if db.get_database_backend() != DbBackend::Postgres || timescale(db).await?.is_some() {
        return Ok(());
    }
    let loaded = "SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL \
                  AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')";
    if ask_bool(db, loaded).await?
        && let Err(error) = db.execute_unprepared("CREATE EXTENSION IF NOT EXISTS timescaledb").await
    {
        match MigrationError::from(error) {
            MigrationError::Database(error) => {
                tracing::warn!(%error, "TimescaleDB is there and cannot be put into this database");
            }
            unavailable => return Err(unavailable),
        }
    }
    Ok(())
}

/// Version and edition of TimescaleDB, if the database has it.
pub(crate) async fn timescale(
    db: &impl ConnectionTrait,
) -> Result<Option<((u32, u32, u32), Edition)>, DbErr> {
    let row = db
        .query_one_raw(Statement::from_string(
            DbBackend::Postgres,
            "SELECT extversion, coalesce(current_setting('timescaledb.license', true), 'apache') AS license \
             FROM pg_extension WHERE extname = 'timescaledb'",
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let edition = match row.try_get::<String>("", "license")?.as_str() {
        "timescale" => Edition::Community,
        _ => Edition::Apache,
    };
    Ok(Some((version(&row.try_get::<String>("", "extversion")?), edition)))
}

/// The numbers of `2.19.3` or `2.20.0-dev`; 0 for what is no number.
fn version(text: &str) -> (u32, u32, u32) {
    let mut numbers = text.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// The one boolean that `sql` selects; false if it selects no row or null.
pub(crate) async fn ask_bool(db: &impl ConnectionTrait, sql: &str) -> Result<bool, DbErr> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let answer: Option<bool> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    Ok(answer.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(version("2.19.3") > version("2.9.12"));
        assert!(version("2.20.0-dev") >= (2, 19, 1));
        assert_eq!(version("2.18"), (2, 18, 0));
    }
}
