use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use processor_database::{Database, DatabaseSettings};
use processor_domain::ports::{PositionStore, StoreError, StoreFailure, Verdict};
use processor_domain::{Judged, samples};
use processor_tests::{Proxy, TimescaleServer, connect_database, eventually};
use sea_orm::ConnectionTrait;
use sea_orm::sqlx::Connection;

use super::{fresh, position_store_contract, suspect};
use crate::databases::{DatabaseFixture, Timescale, number, rows};

mod layout;
mod limits;
mod outages;
mod sharing;
mod statements;

position_store_contract!(Timescale);

/// As many rows as there are seconds in `seconds`, of as many devices as there are in `devices`.
fn grid(devices: std::ops::Range<u64>, seconds: std::ops::Range<u64>) -> Vec<Judged> {
    let start = samples::at("2026-05-01T10:00:00Z");
    seconds
        .flat_map(|second| devices.clone().map(move |device| (device, second)))
        .map(|(device, second)| {
            let ts = start.plus(Duration::from_secs(second));
            fresh(samples::position().device(device).at_moment(ts).build())
        })
        .collect()
}

/// The batch as one that is likely to be there already.
fn known(batch: &[Judged]) -> Vec<Judged> {
    batch.iter().map(|judged| suspect(judged.position.clone())).collect()
}

/// The same, with an attribute that is not there yet.
fn enriched(batch: &[Judged]) -> Vec<Judged> {
    let attributes = samples::position().attributes(r#"{"new":1}"#).build().attributes;
    let mut batch = known(batch);
    for judged in &mut batch {
        judged.position.attributes = attributes.clone();
    }
    batch
}

/// How many sessions copied last: one that is idle shows its last statement.
const COPIES: &str = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND query LIKE 'COPY positions %'";

/// Commits as a caller has to: again and again until it is done. Returns the kinds of failures met as well.
async fn commit_until_done(
    store: &dyn PositionStore,
    batch: &[Judged],
) -> anyhow::Result<(Vec<Verdict>, Vec<StoreFailure>)> {
    let mut kinds = Vec::new();
    loop {
        match store.commit(batch).await {
            Ok(verdicts) => return Ok((verdicts, kinds)),
            Err(StoreError::Unavailable { kind, .. }) if kinds.len() < 200 => kinds.push(kind),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn kind_of_failure(store: &dyn PositionStore, batch: &[Judged]) -> Option<StoreFailure> {
    match store.commit(batch).await {
        Ok(_) => None,
        Err(StoreError::Unavailable { kind, .. }) => Some(kind),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_fresh_rows_are_copied_and_few_are_inserted() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let outside = connect_database(&fixture.url).await?;
    let store = fixture.database.position_store();
    for (devices, second, expected) in [(1_000, 0, 1), (100, 1, 0), (1_000, 2, 1)] {
        store.commit(&grid(0..devices, second..second + 1)).await?;
        assert_eq!(number(&outside, COPIES).await?, expected, "{devices} rows");
    }
    // What is there already is found out, and then less is expected of copying.
    store.commit(&grid(0..1_000, 2..3)).await?;
    assert_eq!(number(&outside, COPIES).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn late_data_is_stored_and_looked_up_in_its_own_chunks() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let store = fixture.database.position_store();
    let week = |week: u64| samples::at("2026-01-01T00:00:00Z").plus(Duration::from_hours(week * 7 * 24));
    let of = |device, week_number, attributes: &str| {
        let position = samples::position().device(device).at_moment(week(week_number));
        suspect(position.attributes(attributes).build())
    };
    // By week within a device, and by device within a week: any order will do.
    let batch: Vec<Judged> = (0..20)
        .flat_map(|device| (0..40).map(move |week| (device, week)))
        .map(|(d, w)| of(d, w, "{}"))
        .collect();
    assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; 800]);
    let chunks = "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'positions'";
    assert!(number(fixture.database.connection(), chunks).await? >= 40);

    let mut again = batch.clone();
    again[7] = of(0, 7, r#"{"new":1}"#);
    again[799] = of(19, 39, r#"{"new":1}"#);
    let verdicts = store.commit(&again).await?;
    for (index, verdict) in verdicts.iter().enumerate() {
        let expected = if [7, 799].contains(&index) { Verdict::Merged } else { Verdict::Duplicate };
        assert_eq!(verdict, &expected, "{index}");
    }
    let (index_scans, scans) = published_scans(fixture.database.clone(), &fixture.url, 1_600).await?;
    assert!(index_scans >= 1_600, "{index_scans}");
    assert_eq!(scans, 40, "making the index of a chunk scans it once, nothing else does");
    Ok(())
}

/// How often chunks were scanned by an index and as a whole, once there are `expected` of the one kind.
async fn published_scans(
    database: processor_database::Database,
    url: &str,
    expected: i64,
) -> anyhow::Result<(i64, i64)> {
    // A session publishes its counts when it ends at the latest.
    database.close().await;
    let outside = connect_database(url).await?;
    let sum = |column| {
        let sql = format!(
            "SELECT coalesce(sum({column}), 0)::bigint FROM pg_stat_user_tables \
             WHERE relname LIKE '\\_hyper\\_%'"
        );
        let outside = outside.clone();
        async move { number(&outside, &sql).await }
    };
    Ok(eventually(Duration::from_secs(10), "the lookups are counted", async || {
        let (by_index, whole) = (sum("idx_scan").await, sum("seq_scan").await);
        match (by_index, whole) {
            (Ok(by_index), Ok(whole)) if by_index >= expected => Ok((by_index, whole)),
            seen => Err(seen),
        }
    })
    .await)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_concerns_all_rows_refuses_one() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let outside = connect_database(&fixture.url).await?;
    let store = fixture.database.position_store();
    let mut second = 0;
    for (make, mend, kind) in [
        (
            "ALTER TABLE positions RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO positions",
            StoreFailure::Schema,
        ),
        (
            "ALTER TABLE positions ADD COLUMN must integer NOT NULL DEFAULT 1; \
             ALTER TABLE positions ALTER COLUMN must DROP DEFAULT",
            "ALTER TABLE positions DROP COLUMN must",
            StoreFailure::Schema,
        ),
        (
            "ALTER TABLE positions RENAME COLUMN attributes TO other",
            "ALTER TABLE positions RENAME COLUMN other TO attributes",
            StoreFailure::Schema,
        ),
    ] {
        for size in [1, 1_000] {
            let batch = grid(0..size, second..second + 1);
            outside.execute_unprepared(make).await?;
            let seen = kind_of_failure(&*store, &batch).await;
            outside.execute_unprepared(mend).await?;
            assert_eq!(seen, Some(kind), "{size} rows: {make}");
            let (verdicts, _) = commit_until_done(&*store, &batch).await?;
            assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Stored), "{verdicts:?}");
            second += 1;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_refuses_no_row() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let outside = connect_database(&fixture.url).await?;
    let role = processor_tests::unique("reader");
    outside.execute_unprepared(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'")).await?;
    outside.execute_unprepared(&format!("GRANT SELECT ON positions TO {role}")).await?;
    let (_, at) = fixture.url.split_once('@').unwrap_or_default();
    let settings = DatabaseSettings::of(format!("postgres://{role}:secret@{at}"));
    let store = processor_database::Database::connect(settings).await?.position_store();
    let batch = grid(0..1_000, 0..1);
    assert_eq!(kind_of_failure(&*store, &batch).await, Some(StoreFailure::Permission));
    outside.execute_unprepared(&format!("GRANT INSERT, UPDATE ON positions TO {role}")).await?;
    let stored = store.commit(&batch).await?;
    outside.execute_unprepared(&format!("DROP OWNED BY {role}")).await?;
    outside.execute_unprepared(&format!("DROP ROLE {role}")).await?;
    assert_eq!(stored, vec![Verdict::Stored; 1_000]);
    Ok(())
}
