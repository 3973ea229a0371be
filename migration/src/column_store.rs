use std::time::Duration;

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

use crate::storage::{IS_POSITIONS, ask_bool};
use crate::{Edition, MigrationError, Storage};

/// Before this version a write that skips rows it has may skip rows it has not, once a chunk is compressed.
const SAFE_SINCE: (u32, u32, u32) = (2, 19, 1);

/// Sees to it that chunks are compressed when they are older than `after`; with `None`, only that compression
/// is off where it would lose positions.
pub(crate) async fn arrange(
    db: &DatabaseConnection,
    storage: &Storage,
    after: Option<Duration>,
) -> Result<(), MigrationError> {
    let (version, edition) = match (storage, after) {
        (Storage::Hypertable { version, edition }, _) => (*version, *edition),
        (_, None) => return Ok(()),
        (_, Some(_)) => return Err(MigrationError::Compression("it is not a hypertable".into())),
    };
    let wanted = after.is_some();
    if wanted && edition == Edition::Apache {
        return Err(MigrationError::Compression(
            "this is the Apache edition of TimescaleDB, which cannot".into(),
        ));
    }
    if version < SAFE_SINCE && (wanted || is_on(db).await?) {
        let (major, minor, patch) = version;
        return Err(MigrationError::Compression(format!(
            "TimescaleDB {major}.{minor}.{patch} loses positions that are written late into a compressed \
             chunk; 2.19.1 or newer does not"
        )));
    }
    if let Some(after) = after {
        turn_on(db, after).await?;
    }
    Ok(())
}

async fn is_on(db: &impl ConnectionTrait) -> Result<bool, MigrationError> {
    Ok(ask_bool(
        db,
        &format!("SELECT bool_or(compression_enabled) FROM timescaledb_information.hypertables WHERE {IS_POSITIONS}"),
    )
    .await?)
}

async fn turn_on(db: &DatabaseConnection, after: Duration) -> Result<(), MigrationError> {
    let transaction = db.begin().await?;
    if !is_on(&transaction).await? {
        transaction
            .execute_unprepared(
                "ALTER TABLE positions SET (timescaledb.compress, \
                 timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'ts DESC')",
            )
            .await?;
    }
    transaction
        .execute_unprepared(&format!(
            "SELECT remove_compression_policy('positions', if_exists => true); \
             SELECT add_compression_policy('positions', compress_after => make_interval(secs => {}))",
            after.as_secs()
        ))
        .await?;
    transaction.commit().await?;
    Ok(())
}
