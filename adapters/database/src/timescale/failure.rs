//! What an error of PostgreSQL means for a batch.

use std::fmt;

use processor_domain::ports::{StoreError, StoreFailure};
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::{self, Error};

/// Why a statement failed, as far as it matters for what to do next.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A row cannot be stored for what it holds. Which one is found by trying fewer.
    Row(RowError),
    /// A row is there already.
    Conflict(Error),
    /// One statement may not do so much; fewer rows may go through.
    TooMuch(Error),
    /// Nothing is wrong with the rows.
    Unavailable { kind: StoreFailure, cause: Error },
}

/// What the server has against a row.
#[derive(Debug)]
pub(crate) struct RowError(Box<PgDatabaseError>);

impl fmt::Display for RowError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (SQLSTATE {})", self.0.message(), self.0.code())?;
        match self.0.detail() {
            Some(detail) => write!(out, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Database(inner) = &error
            && let Some(postgres) = inner.try_downcast_ref::<PgDatabaseError>()
        {
            let verdict = judge(postgres.code(), postgres.constraint().is_some());
            return match verdict {
                Verdict::Row => Self::row(error),
                Verdict::Conflict => Self::Conflict(error),
                Verdict::TooMuch => Self::TooMuch(error),
                Verdict::Unavailable(kind) => Self::Unavailable { kind, cause: error },
            };
        }
        Self::Unavailable { kind: kind_without_code(&error), cause: error }
    }
}

impl Failure {
    fn row(error: Error) -> Self {
        match error {
            Error::Database(inner) => match inner.try_downcast::<PgDatabaseError>() {
                Ok(postgres) => Self::Row(RowError(postgres)),
                Err(inner) => {
                    Self::Unavailable { kind: StoreFailure::Unknown, cause: Error::Database(inner) }
                }
            },
            cause => Self::Unavailable { kind: StoreFailure::Unknown, cause },
        }
    }

    /// As the caller of the port sees it. What was not to be expected here is no fault of a row either.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Unavailable { kind, cause } => StoreError::Unavailable { kind, cause: cause.into() },
            Self::Conflict(cause) => {
                StoreError::Unavailable { kind: StoreFailure::Conflict, cause: cause.into() }
            }
            Self::TooMuch(cause) => {
                StoreError::Unavailable { kind: StoreFailure::Limit, cause: cause.into() }
            }
            Self::Row(error) => StoreError::Unavailable { kind: StoreFailure::Row, cause: error.0 },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Row,
    Conflict,
    TooMuch,
    Unavailable(StoreFailure),
}

/// Only what can be the fault of what one row holds is ever [`Verdict::Row`]: a row that is refused is gone
/// from the history, so whatever concerns all rows alike (a missing table, a missing right, a column that
/// nobody fills) must be waited for, however long.
fn judge(code: &str, constraint: bool) -> Verdict {
    match code {
        "23505" => Verdict::Conflict,
        // Not null: every column that may not be null is filled in every row, so it is a column that this
        // program does not know.
        "23502" => Verdict::Unavailable(StoreFailure::Schema),
        // A check without a name is "no partition for this row".
        "23514" if !constraint => Verdict::Unavailable(StoreFailure::Schema),
        "25006" => Verdict::Unavailable(StoreFailure::ReadOnly),
        "25P03" | "25P04" => Verdict::Unavailable(StoreFailure::TransactionTimeout),
        "40P01" => Verdict::Unavailable(StoreFailure::Deadlock),
        "42501" => Verdict::Unavailable(StoreFailure::Permission),
        "53100" => Verdict::Unavailable(StoreFailure::DiskFull),
        "53300" => Verdict::Unavailable(StoreFailure::TooManyConnections),
        // Of the limits that have this code a statement of this program meets how many rows TimescaleDB takes out
        // of a compressed chunk for one statement: as many as are compressed together, for each row that changes.
        "53400" => Verdict::TooMuch,
        "55P03" => Verdict::Unavailable(StoreFailure::LockTimeout),
        "57014" => Verdict::Unavailable(StoreFailure::StatementTimeout),
        _ => match code.get(..2).unwrap_or_default() {
            "22" | "23" => Verdict::Row,
            "08" => Verdict::Unavailable(StoreFailure::Connection),
            "28" => Verdict::Unavailable(StoreFailure::Authentication),
            "40" => Verdict::Unavailable(StoreFailure::Serialization),
            "3D" | "3F" | "42" => Verdict::Unavailable(StoreFailure::Schema),
            "53" | "54" => Verdict::Unavailable(StoreFailure::Resources),
            "57" => Verdict::Unavailable(StoreFailure::Shutdown),
            "58" | "F0" | "XX" => Verdict::Unavailable(StoreFailure::Server),
            _ => Verdict::Unavailable(StoreFailure::Unknown),
        },
    }
}

/// The kind of an error that is no row's.
pub(crate) fn kind_of(error: &Error) -> StoreFailure {
    match error {
        Error::Database(inner) => match inner.code().map(|code| judge(&code, false)) {
            Some(Verdict::Unavailable(kind)) => kind,
            Some(Verdict::Row) => StoreFailure::Row,
            Some(Verdict::Conflict) => StoreFailure::Conflict,
            Some(Verdict::TooMuch) => StoreFailure::Limit,
            None => StoreFailure::Unknown,
        },
        error => kind_without_code(error),
    }
}

fn kind_without_code(error: &sqlx::Error) -> StoreFailure {
    match error {
        Error::Io(_) | Error::WorkerCrashed => StoreFailure::Connection,
        Error::Tls(_) => StoreFailure::Tls,
        Error::PoolTimedOut => StoreFailure::PoolTimeout,
        Error::PoolClosed => StoreFailure::Closed,
        Error::Protocol(_) | Error::BeginFailed => StoreFailure::Protocol,
        Error::ColumnDecode { .. }
        | Error::ColumnNotFound(_)
        | Error::Decode(_)
        | Error::TypeNotFound { .. } => StoreFailure::Schema,
        _ => StoreFailure::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fault_of_a_row_refuses_a_row() {
        for code in ["22P02", "22P05", "22021", "22003", "22008", "23514", "23503"] {
            assert_eq!(judge(code, true), Verdict::Row, "{code}");
        }
        for (code, kind) in [
            ("57P01", StoreFailure::Shutdown),
            ("57P03", StoreFailure::Shutdown),
            ("08006", StoreFailure::Connection),
            ("25006", StoreFailure::ReadOnly),
            ("53300", StoreFailure::TooManyConnections),
            ("53100", StoreFailure::DiskFull),
            ("40001", StoreFailure::Serialization),
            ("40P01", StoreFailure::Deadlock),
            ("55P03", StoreFailure::LockTimeout),
            ("57014", StoreFailure::StatementTimeout),
            ("42P01", StoreFailure::Schema),
            ("42703", StoreFailure::Schema),
            ("42804", StoreFailure::Schema),
            ("23502", StoreFailure::Schema),
            ("42501", StoreFailure::Permission),
            ("28P01", StoreFailure::Authentication),
            ("XX000", StoreFailure::Server),
            ("99999", StoreFailure::Unknown),
            ("", StoreFailure::Unknown),
        ] {
            assert_eq!(judge(code, false), Verdict::Unavailable(kind), "{code}");
        }
        assert_eq!(judge("23505", true), Verdict::Conflict);
        assert_eq!(judge("53400", false), Verdict::TooMuch);
        assert_eq!(judge("23514", false), Verdict::Unavailable(StoreFailure::Schema));
        assert_eq!(kind_without_code(&Error::PoolTimedOut), StoreFailure::PoolTimeout);
    }
}
