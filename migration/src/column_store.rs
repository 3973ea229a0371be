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
    let lossy_and_on = version < SAFE_SINCE && is_on(db).await?;
    if let Some(why) = refusal(version, edition, after.is_some(), lossy_and_on) {
        return Err(MigrationError::Compression(why));
    }
    if let Some(after) = after {
        turn_on(db, after).await?;
    }
    Ok(())
}

/// Why compression cannot be, if it is wanted or on already.
fn refusal(version: (u32, u32, u32), edition: Edition, wanted: bool, on: bool) -> Option<String> {
    if wanted && edition == Edition::Apache {
        return Some("this is the Apache edition of TimescaleDB, which cannot".into());
    }
    (version < SAFE_SINCE && (wanted || on)).then(|| {
        let (major, minor, patch) = version;
        format!(
            "TimescaleDB {major}.{minor}.{patch} loses positions that are written late into a compressed \
             chunk; 2.19.1 or newer does not"
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use Edition::{Apache, Community};

    #[test]
    fn compression_is_refused_where_it_would_lose_positions_and_nowhere_else() {
        for (version, edition, wanted, on, refused) in [
            ((2, 19, 0), Community, true, false, Some("2.19.0 loses positions")),
            ((2, 19, 0), Community, false, true, Some("2.19.0 loses positions")),
            ((2, 18, 2), Apache, false, true, Some("2.18.2 loses positions")),
            ((2, 9, 12), Community, true, true, Some("2.9.12 loses positions")),
            ((2, 19, 3), Apache, true, false, Some("Apache edition")),
            ((2, 19, 0), Community, false, false, None),
            ((2, 19, 1), Community, true, false, None),
            ((2, 19, 1), Community, false, true, None),
            ((2, 20, 0), Community, true, true, None),
            ((3, 0, 0), Community, true, false, None),
            ((2, 19, 3), Apache, false, false, None),
        ] {
            let why = refusal(version, edition, wanted, on);
            let case = format!("{version:?}, {edition:?}, wanted {wanted}, on {on}: {why:?}");
            match (refused, why) {
                (Some(part), Some(why)) => assert!(why.contains(part), "{case}"),
                (refused, why) => assert_eq!(refused, why.as_deref(), "{case}"),
            }
        }
    }
}
