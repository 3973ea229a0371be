//! What an error of SQLite means for a batch.

use processor_domain::ports::StoreError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why a statement failed, as far as it matters for what to do next.
#[derive(Debug)]
pub(super) enum Failure {
    /// A row cannot be stored for what it holds.
    Row(DbErr),
    /// Nothing is wrong with the rows.
    Unavailable { kind: &'static str, cause: DbErr },
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
            Self::Row(cause) => StoreError::Unavailable { kind: "row", cause: cause.into() },
        }
    }
}

/// What the caller of a port is told of an error that is no row's.
pub(crate) fn unavailable(error: DbErr) -> StoreError {
    Failure::from(error).into_store_error()
}

/// The kind of a failure that is not a row's; `None` if it is.
fn judge(error: &DbErr) -> Option<&'static str> {
    let cause = match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        DbErr::ConnectionAcquire(_) => return Some("pool_timeout"),
        _ => return Some("unknown"),
    };
    match &**cause {
        sqlx::Error::PoolTimedOut => Some("pool_timeout"),
        sqlx::Error::PoolClosed => Some("closed"),
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Some("connection"),
        sqlx::Error::Database(database) => {
            // An extended code has the plain one in its low byte.
            let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
            match code & 0xff {
                // A value too large, a constraint, a type.
                18..=20 => None,
                1 => Some("schema"),
                5 | 6 => Some("lock_timeout"),
                8 => Some("read_only"),
                10 | 11 | 14 | 26 => Some("file"),
                13 => Some("disk_full"),
                _ => Some("unknown"),
            }
        }
        _ => Some("unknown"),
    }
}
