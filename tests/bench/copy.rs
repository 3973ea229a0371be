//! What the database can do at best: one connection, one binary COPY.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use processor_tests::TimescaleServer;
use sea_orm::sqlx::postgres::{PgConnection, PgPoolCopyExt};
use sea_orm::sqlx::{self, Connection, PgPool};

use crate::drain::fresh_database;

const COLUMNS: &str = "device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, attributes, faulty, faults";
/// What is sent to the server at a time.
const PART: usize = 64 * 1024;

/// Rows in the binary format of COPY.
pub(crate) struct Rows {
    bytes: Vec<u8>,
    pub(crate) count: u64,
}

/// One COPY.
pub(crate) struct Copied {
    pub(crate) rows: u64,
    pub(crate) time: Duration,
    /// Processor time of PostgreSQL in that time.
    pub(crate) database_cpu: Duration,
}

impl Copied {
    pub(crate) fn rate(&self) -> f64 {
        self.rows as f64 / self.time.as_secs_f64()
    }

    pub(crate) fn database_micros_a_row(&self) -> f64 {
        self.database_cpu.as_secs_f64() * 1e6 / self.rows as f64
    }
}

impl Rows {
    /// The rows of `positions`, in the order in which they were measured.
    pub(crate) async fn of(database: &str) -> anyhow::Result<Self> {
        let pool = PgPool::connect(database).await?;
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM positions").fetch_one(&pool).await?;
        let statement = format!(
            "COPY (SELECT {COLUMNS} FROM positions ORDER BY ts, device_id) TO STDOUT (FORMAT binary)"
        );
        let parts = pool.copy_out_raw(&statement).await?;
        let bytes = parts.try_fold(Vec::new(), async |mut all, part| {
            all.extend_from_slice(&part);
            Ok(all)
        });
        let bytes = bytes.await?;
        pool.close().await;
        Ok(Self { bytes, count: u64::try_from(count)? })
    }
}

/// Copies all rows into a fresh table.
pub(crate) async fn copy(timescale: &TimescaleServer, rows: &Rows) -> anyhow::Result<Copied> {
    let database = fresh_database(timescale).await?;
    let mut connection = PgConnection::connect(&database).await?;
    let cpu_before = timescale.cpu().await?;
    let began = Instant::now();
    let statement = format!("COPY positions ({COLUMNS}) FROM STDIN (FORMAT binary)");
    let mut copy = connection.copy_in_raw(&statement).await?;
    for part in rows.bytes.chunks(PART) {
        copy.send(part).await?;
    }
    let copied = copy.finish().await?;
    let time = began.elapsed();
    let database_cpu = timescale.cpu().await?.saturating_sub(cpu_before);
    anyhow::ensure!(copied == rows.count, "{copied} of {} rows were copied", rows.count);
    connection.close().await?;
    Ok(Copied { rows: copied, time, database_cpu })
}
