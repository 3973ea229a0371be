use std::time::Duration;

use sea_orm_migration::sea_orm::{DbErr, RuntimeErr, sqlx};

/// The schema could not be brought to where it should be.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database cannot be reached at the moment.
    #[error("the database cannot be reached")]
    Unreachable(#[source] DbErr),
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
        let unreachable = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                is_unreachable(cause)
            }
            _ => false,
        };
        if unreachable { Self::Unreachable(error) } else { Self::Database(error) }
    }
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        let unreachable = is_unreachable(&error);
        let error = DbErr::Exec(RuntimeErr::SqlxError(error.into()));
        if unreachable { Self::Unreachable(error) } else { Self::Database(error) }
    }
}

fn is_unreachable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => true,
        // Connection lost, shutting down or starting up, too many connections.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P") || code == "53300"),
        _ => false,
    }
}
