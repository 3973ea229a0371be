use std::time::Duration;

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait,
};

use crate::storage::ask_bool;
use crate::unhurried::{self, unhurried};
use crate::{MigrationError, Storage};

/// Rows deleted in one statement from a table that has no chunks.
const SLICE: u64 = 20_000;

/// What [`drop_old`] dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Whole chunks of a hypertable.
    pub chunks: u64,
    /// Single rows of a table without chunks.
    pub rows: u64,
}

/// Drops positions whose device time is longer ago than `retain`.
///
/// It is done here and not by a policy in the database because only one edition of TimescaleDB has those. Of a
/// hypertable only whole chunks go, so positions may stay up to one chunk interval longer. Several instances may
/// call it at once; each chunk or row is dropped by one.
///
/// # Errors
/// [`MigrationError`]; what was dropped until then stays dropped.
pub async fn drop_old(db: &DatabaseConnection, retain: Duration) -> Result<Dropped, MigrationError> {
    let connection = unhurried(db).await?;
    let dropped = drop_older(&connection, retain.as_secs()).await;
    unhurried::close(connection).await;
    Ok(dropped?)
}

async fn drop_older(db: &DatabaseConnection, seconds: u64) -> Result<Dropped, DbErr> {
    Ok(match Storage::of_positions(db).await? {
        Storage::Hypertable { .. } => Dropped { chunks: drop_chunks(db, seconds).await?, rows: 0 },
        Storage::PlainTable => Dropped {
            chunks: 0,
            rows: delete_in_slices(
                db,
                &format!(
                    "DELETE FROM positions WHERE ctid = ANY (ARRAY (SELECT ctid FROM positions \
                     WHERE ts < now() - make_interval(secs => {seconds}) LIMIT {SLICE}))"
                ),
            )
            .await?,
        },
        Storage::Sqlite => Dropped {
            chunks: 0,
            rows: delete_in_slices(
                db,
                &format!(
                    "DELETE FROM positions WHERE rowid IN (SELECT rowid FROM positions \
                     WHERE ts < (unixepoch() - {seconds}) * 1000000 LIMIT {SLICE})"
                ),
            )
            .await?,
        },
    })
}

async fn drop_chunks(db: &DatabaseConnection, seconds: u64) -> Result<u64, DbErr> {
    let transaction = db.begin().await?;
    let mine = "SELECT pg_try_advisory_xact_lock(hashtextextended('processor: drop old positions', 0))";
    if !ask_bool(&transaction, mine).await? {
        return Ok(0);
    }
    let dropped = transaction
        .query_one_raw(Statement::from_string(
            DbBackend::Postgres,
            format!(
                "SELECT count(*) AS chunks FROM drop_chunks('positions', \
                 older_than => now() - make_interval(secs => {seconds}))"
            ),
        ))
        .await?
        .map_or(Ok(0_i64), |row| row.try_get("", "chunks"))?;
    transaction.commit().await?;
    Ok(dropped.unsigned_abs())
}

async fn delete_in_slices(db: &DatabaseConnection, delete: &str) -> Result<u64, DbErr> {
    let mut rows = 0;
    loop {
        let deleted = db.execute_unprepared(delete).await?.rows_affected();
        rows += deleted;
        if deleted < SLICE {
            return Ok(rows);
        }
    }
}
