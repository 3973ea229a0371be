//! How fast `commit` writes fresh positions, against one COPY of the same bytes.
//!
//! ```text
//! cargo run --release -p processor-database --example copy_rate -- postgres://user:password@host/empty_database
//! ```
//!
//! Each round makes an empty hypertable for each method; rates are compared within a round, because they drift
//! between rounds. The time of this process's own CPU is counted too.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use processor_database::{Database, DatabaseSettings};
use processor_domain::ports::Verdict;
use processor_domain::{Faults, Judged, Novelty, samples};
use sea_orm::sqlx::postgres::PgPoolCopyExt;
use sea_orm::sqlx::{self, PgPool};
use sea_orm::{ConnectionTrait, DatabaseConnection};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ROWS: usize = 200_000;
const DEVICES: usize = 1_000;
const ROUNDS: usize = 3;
const COLUMNS: &str = "device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, \
     attributes, faulty, faults";

/// What the migrations make.
const TABLE: [&str; 6] = [
    "CREATE EXTENSION IF NOT EXISTS timescaledb",
    "DROP TABLE IF EXISTS positions",
    "CREATE TABLE positions (
        device_id text NOT NULL, ts timestamptz NOT NULL, latitude float8 NOT NULL, longitude float8 NOT NULL,
        altitude real, angle real, speed real, satellites smallint, priority smallint NOT NULL DEFAULT 0,
        attributes jsonb NOT NULL DEFAULT '{}', faulty boolean NOT NULL DEFAULT false,
        ingested_at timestamptz NOT NULL DEFAULT now(), faults integer,
        CONSTRAINT positions_place_finite CHECK (latitude > '-Infinity' AND latitude < 'Infinity'
            AND longitude > '-Infinity' AND longitude < 'Infinity')
    )",
    "SELECT create_hypertable('positions', 'ts', create_default_indexes => false)",
    "CREATE UNIQUE INDEX positions_device_ts_idx ON positions (device_id, ts DESC)",
    "CHECKPOINT",
];

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the URL of an empty database, please")?;
    let batch: usize = arguments.next().map_or(Ok(2_000), |batch| batch.parse())?;
    let rows: Arc<[Judged]> = rows().into();
    let pool = PgPool::connect(&url).await?;

    fresh_table(&pool).await?;
    commit_all(&url, &rows, batch, 1).await?;
    let bytes: Arc<[u8]> = encoded(&pool).await?.into();

    println!("round  method          rows/s   x COPY  CPU us/row");
    for round in 1..=ROUNDS {
        fresh_table(&pool).await?;
        let copy =
            measure(async { tokio::spawn(copy_at_once(pool.clone(), Arc::clone(&bytes))).await? }).await?;
        show(round, "one COPY", copy, copy);
        for writers in [1, 2] {
            fresh_table(&pool).await?;
            let ours = measure(commit_all(&url, &rows, batch, writers)).await?;
            show(round, &format!("commit, {writers} conn"), ours, copy);
        }
    }
    Ok(())
}

/// Every device once a second, in the order of time.
fn rows() -> Vec<Judged> {
    let start = samples::at("2026-05-01T10:00:00Z");
    (0..ROWS)
        .map(|row| {
            let second = Duration::from_secs(u64::try_from(row / DEVICES).unwrap_or(0));
            let position = samples::position()
                .device(u64::try_from(row % DEVICES).unwrap_or(0))
                .at_moment(start.plus(second))
                // As the server prints it, so that the bytes of both methods are the same.
                .attributes(r#"{"16": 123456789, "21": 5, "66": 12345, "239": 1, "240": 1}"#)
                .build();
            Judged { position, faults: Faults::NONE, novelty: Novelty::Fresh }
        })
        .collect()
}

async fn fresh_table(pool: &PgPool) -> Result<()> {
    let connection = DatabaseConnection::from(pool.clone());
    for statement in TABLE {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// The table as COPY data, in the order in which it was written.
async fn encoded(pool: &PgPool) -> Result<Vec<u8>> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM positions").fetch_one(pool).await?;
    assert_eq!(usize::try_from(count)?, ROWS, "rows in the table");
    let statement =
        format!("COPY (SELECT {COLUMNS} FROM positions ORDER BY ts, device_id) TO STDOUT (FORMAT BINARY)");
    let chunks: Vec<_> = pool.copy_out_raw(&statement).await?.try_collect().await?;
    Ok(chunks.concat())
}

async fn copy_at_once(pool: PgPool, bytes: Arc<[u8]>) -> Result<()> {
    let statement = format!("COPY positions ({COLUMNS}) FROM STDIN (FORMAT BINARY)");
    let mut copy = pool.copy_in_raw(&statement).await?;
    for chunk in bytes.chunks(64 * 1024) {
        copy.send(chunk).await?;
    }
    assert_eq!(usize::try_from(copy.finish().await?)?, ROWS, "rows copied");
    Ok(())
}

/// Commits all rows in batches, by so many tasks with a connection each. Batches are dealt out in turn.
async fn commit_all(url: &str, rows: &Arc<[Judged]>, batch: usize, writers: u32) -> Result<()> {
    let writers = NonZeroU32::new(writers).ok_or("no writers")?;
    let database = Database::connect(DatabaseSettings { writers, ..DatabaseSettings::of(url) }).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let tasks = (0..writers.get()).map(|_| {
        let (store, rows, next) = (database.position_store(), Arc::clone(rows), Arc::clone(&next));
        tokio::spawn(async move {
            while let Some(batch) = rows.chunks(batch).nth(next.fetch_add(1, Ordering::Relaxed)) {
                let verdicts = store.commit(batch).await?;
                assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Stored), "all are new");
            }
            Result::Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    database.close().await;
    Ok(())
}

#[derive(Clone, Copy)]
struct Measured {
    wall: Duration,
    cpu: Duration,
}

async fn measure(work: impl Future<Output = Result<()>>) -> Result<Measured> {
    let (began, cpu) = (Instant::now(), cpu_time()?);
    work.await?;
    Ok(Measured { wall: began.elapsed(), cpu: cpu_time()?.saturating_sub(cpu) })
}

/// What the threads of this process have run.
fn cpu_time() -> Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let schedstat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

fn show(round: usize, method: &str, measured: Measured, copy: Measured) {
    let rows = ROWS as f64;
    println!(
        "{round:>5}  {method:<14} {:>8.0}   {:>6.2}  {:>10.2}",
        rows / measured.wall.as_secs_f64(),
        copy.wall.as_secs_f64() / measured.wall.as_secs_f64(),
        measured.cpu.as_secs_f64() * 1e6 / rows,
    );
}
