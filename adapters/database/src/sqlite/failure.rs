//! What an error of SQLite means for a batch.

use processor_domain::ports::{StoreError, StoreFailure};
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why a statement failed, as far as it matters for what to do next.
#[derive(Debug)]
pub(super) enum Failure {
    /// A row cannot be stored for what it holds.
    Row(DbErr),
    /// Nothing is wrong with the rows.
    Unavailable { kind: StoreFailure, cause: DbErr },
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        match judge(&error) {
            None => Self::Row(error),
            Some(kind) => Self::Unavailable { kind, cause: error },
        }
    }
}

impl Failure {
    pub(super) fn into_store_error(self) -> StoreError {
        match self {
            Self::Unavailable { kind, cause } => StoreError::Unavailable { kind, cause: cause.into() },
            Self::Row(cause) => StoreError::Unavailable { kind: StoreFailure::Row, cause: cause.into() },
        }
    }
}

/// What the caller of a port is told of an error that is no row's.
pub(crate) fn unavailable(error: DbErr) -> StoreError {
    Failure::from(error).into_store_error()
}

/// The kind of a failure that is not a row's; `None` if it is.
fn judge(error: &DbErr) -> Option<StoreFailure> {
    let cause = match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        DbErr::ConnectionAcquire(_) => return Some(StoreFailure::PoolTimeout),
        _ => return Some(StoreFailure::Unknown),
    };
    match &**cause {
        sqlx::Error::PoolTimedOut => Some(StoreFailure::PoolTimeout),
        sqlx::Error::PoolClosed => Some(StoreFailure::Closed),
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Some(StoreFailure::Connection),
        sqlx::Error::Database(database) => {
            // An extended code has the plain one in its low byte.
            let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
            match code & 0xff {
                // A value too large, a constraint, a type.
                18..=20 => None,
                1 => Some(StoreFailure::Schema),
                5 | 6 => Some(StoreFailure::LockTimeout),
                8 => Some(StoreFailure::ReadOnly),
                10 | 11 | 14 | 26 => Some(StoreFailure::File),
                13 => Some(StoreFailure::DiskFull),
                _ => Some(StoreFailure::Unknown),
            }
        }
        _ => Some(StoreFailure::Unknown),
    }
}
