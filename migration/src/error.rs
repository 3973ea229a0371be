use std::time::Duration;

use sea_orm_migration::sea_orm::{DbErr, RuntimeErr, sqlx};

/// The SQLSTATE of a lock that was not had within `lock_timeout`.
pub(crate) const LOCK_NOT_AVAILABLE: &str = "55P03";

/// The schema could not be brought to where it should be.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database cannot be reached at the moment, or somebody else holds a lock for too long: try again.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// Another instance held the migration lock all the time.
    #[error("another instance has been migrating this database for more than {0:?}")]
    Locked(Duration),
    /// The table `positions` that was found lets the same position in twice.
    #[error(
        "the table positions has rows and no unique index on (device_id, ts): remove double rows and create \
         one"
    )]
    NoUniqueKey,
    /// The table `positions` that was found has a column that every new row would have to fill.
    #[error("the table positions has a column {0} that is not null and has no default")]
    UnknownMandatoryColumn(String),
    /// The table `positions` that was found has a column of a type that cannot be worked with.
    #[error("the column {column} of the table positions is {found}; it must be {expected}")]
    ColumnType {
        /// Which column.
        column: String,
        /// Its type.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Compression is on, or was asked for, and cannot be had safely.
    #[error("positions cannot be compressed: {0}")]
    Compression(String),
    /// The database refused a statement.
    #[error("the database refused")]
    Database(#[source] DbErr),
}

impl From<DbErr> for MigrationError {
    fn from(error: DbErr) -> Self {
        let passing = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                is_passing(cause)
            }
            _ => false,
        };
        if passing { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        let passing = is_passing(&error);
        let error = DbErr::Exec(RuntimeErr::SqlxError(error.into()));
        if passing { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => true,
        // Connection lost, shutting down or starting up, too many connections, a deadlock, a lock.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08")
                || code.starts_with("57P")
                || ["53300", "40P01", LOCK_NOT_AVAILABLE].contains(&&*code)
        }),
        _ => false,
    }
}
