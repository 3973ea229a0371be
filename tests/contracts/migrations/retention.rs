use std::time::Duration;

use processor_domain::ports::{Clock, SystemClock};
use processor_domain::samples;
use processor_migration::{Dropped, MigrationSettings, drop_old, migrate};
use processor_tests::TimescaleServer;

use super::*;
use crate::databases::{DatabaseFixture, Sqlite, rows};
use crate::position_store::suspect;

/// One position a day for `days` days up to now.
async fn a_row_a_day(database: &Database, days: u64) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let batch: Vec<_> = (0..days)
        .map(|day| suspect(samples::position().at_moment(now.minus(Duration::from_hours(24 * day))).build()))
        .collect();
    database.position_store().commit(&batch).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn old_chunks_are_dropped_and_what_is_not_old_stays() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let database = empty(&server).await?;
    let settings =
        MigrationSettings { chunk_interval: Duration::from_hours(24), ..MigrationSettings::default() };
    migrate(database.connection(), &settings).await?;
    a_row_a_day(&database, 30).await?;
    let retain = Duration::from_hours(10 * 24);
    let all_at_once: Vec<_> = (0..3)
        .map(|_| {
            let connection = database.connection().clone();
            tokio::spawn(async move { drop_old(&connection, retain).await })
        })
        .collect();
    let mut chunks = 0;
    for task in all_at_once {
        chunks += task.await??.chunks;
    }
    // Chunks begin at midnight: the one in which the limit lies stays.
    assert!((18..=20).contains(&chunks), "{chunks}");
    assert_eq!(rows(&database).await?.len(), 30 - usize::try_from(chunks)?);
    assert_eq!(drop_old(database.connection(), retain).await?, Dropped::default());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_dropped_where_there_are_no_chunks() -> anyhow::Result<()> {
    let sqlite = Sqlite::start().await?;
    a_row_a_day(&sqlite.database, 30).await?;
    let dropped = drop_old(sqlite.database.connection(), Duration::from_hours(10 * 24 + 12)).await?;
    assert_eq!(dropped, Dropped { chunks: 0, rows: 19 });
    assert_eq!(rows(&sqlite.database).await?.len(), 11);
    Ok(())
}
