//! Exports, measured: a day of many devices in a fresh hypertable, written by the program in each format, beside
//! `COPY (SELECT ...) TO STDOUT` of the same rows by one connection.
//!
//! `scripts/bench-export` builds all of it with optimisations and runs this. Options: `--rows N` (default 1,000,000),
//! `--devices N` (100), `--rounds N` (3). Each round does every format once; the ratio is taken within its round.
//! Growth is that of the memory of the program from before an export to its peak meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::TryStreamExt;
use processor_tests::{Processor, RedisServer, TimescaleServer, connect_database, median, resident_bytes};
use sea_orm::ConnectionTrait;
use sea_orm::sqlx::postgres::PgPoolCopyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TOKEN: &str = "the-admin-token-of-benchmarks";
const FORMATS: [&str; 5] = ["ndjson", "ndjson&attributes=true", "geojson", "gpx", "csv"];
/// The same columns in the same order as an export reads them.
const COPY: &str =
    "COPY (SELECT device_id, ts, latitude, longitude, altitude, angle, speed, satellites, priority, faulty,
    faults, ingested_at FROM positions ORDER BY device_id, ts) TO STDOUT";

/// One export.
struct Measured {
    /// Rows a second.
    rate: f64,
    bytes: u64,
    /// How much memory grew meanwhile, in bytes.
    growth: u64,
}

/// All exports in one format.
#[derive(Default)]
struct Runs {
    rates: Vec<f64>,
    to_copy: Vec<f64>,
    growth: u64,
    bytes: u64,
}

fn option(name: &str, default: u64) -> anyhow::Result<u64> {
    let mut args = std::env::args().skip_while(|arg| arg != name).skip(1);
    args.next().map_or(Ok(default), |value| Ok(value.parse()?))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (rows, devices) = (option("--rows", 1_000_000)?, option("--devices", 100)?.max(1));
    let rounds = option("--rounds", 3)?;
    let redis = RedisServer::start().await?;
    let timescale = TimescaleServer::start_alone().await?;
    let url = timescale.direct_url_of(&timescale.create_database().await?).await?;
    let processor = Processor::builder()
        .env("DATABASE_URL", &url)
        .env("REDIS_URL", redis.url())
        .env("REDIS_TELEMETRY_STREAM", processor_tests::unique("bench"))
        .env("ADMIN_TOKEN", TOKEN)
        .start()
        .await?;
    processor.until_ready(Duration::from_mins(1)).await;
    eprintln!("filling {rows} rows of {devices} devices");
    let database = connect_database(&url).await?;
    let fill = format!(
        "INSERT INTO positions (device_id, ts, latitude, longitude, altitude, angle, speed, satellites, attributes)
         SELECT lpad((i % {devices})::text, 15, '0'), '2026-05-01T00:00Z'::timestamptz + (i / {devices}) * interval '1 second',
             54 + (i % 10000) / 1e7, 25 + i / 1e7, 100 + i % 50, i % 360, i % 120, 9 + i % 8,
             '{{\"239\":1,\"66\":12345,\"14\":8937002380,\"78\":17012345678000,\"16\":123000000}}'
         FROM generate_series(0, {rows} - 1) i"
    );
    database.execute_unprepared(&fill).await?;
    database.execute_unprepared("VACUUM ANALYZE positions").await?;
    // All devices in one event, as the CMS would have them.
    database
        .execute_unprepared(&format!(
            "CREATE TABLE entries (id text, event_id text);
             CREATE TABLE entry_devices (id text, entry_id text, device_id text);
             INSERT INTO entries VALUES ('1', 'rally');
             INSERT INTO entry_devices SELECT i::text, '1', lpad(i::text, 15, '0') FROM generate_series(0, {devices} - 1) i"
        ))
        .await?;

    let mut formats: BTreeMap<&str, Runs> = BTreeMap::new();
    for round in 1..=rounds {
        let copied = copy(&database, rows).await?;
        eprintln!("round {round}: COPY {copied:.0} rows/s");
        for format in FORMATS {
            let measured = export(&processor, format, rows).await?;
            let ratio = measured.rate / copied;
            eprintln!("round {round}: {format} {:.0} rows/s, {ratio:.2} of COPY", measured.rate);
            let runs = formats.entry(format).or_default();
            runs.rates.push(measured.rate);
            runs.to_copy.push(ratio);
            runs.growth = runs.growth.max(measured.growth);
            runs.bytes = measured.bytes;
        }
    }
    println!(
        "| format | rows/s | of COPY, median of rounds | memory grew by, at most | bytes |\n|---|---|---|---|---|"
    );
    for (format, Runs { rates, to_copy, growth, bytes }) in formats {
        let (rate, ratio, growth) = (median(&rates), median(&to_copy), growth as f64 / f64::from(1 << 20));
        println!("| {format} | {rate:.0} | {ratio:.2} | {growth:.1} MiB | {bytes} |");
    }
    database.close().await?;
    Ok(())
}

async fn copy(database: &sea_orm::DatabaseConnection, rows: u64) -> anyhow::Result<f64> {
    let pool = database.get_postgres_connection_pool();
    let began = Instant::now();
    let mut copied = pool.copy_out_raw(COPY).await?;
    let mut lines = 0;
    while let Some(chunk) = copied.try_next().await? {
        lines += lines_in(&chunk);
    }
    ensure!(lines == rows, "{lines} lines were copied");
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

async fn export(processor: &Processor, format: &str, rows: u64) -> anyhow::Result<Measured> {
    let (address, pid) = (processor.address()?, processor.pid());
    let before = resident_bytes(pid)?;
    let peak = Arc::new(AtomicU64::new(before));
    let watching = tokio::spawn({
        let peak = Arc::clone(&peak);
        async move {
            while let Ok(now) = resident_bytes(pid) {
                peak.fetch_max(now, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    let began = Instant::now();
    let mut connection = TcpStream::connect(&address).await?;
    let request = format!(
        "GET /admin/v1/events/rally/history?from=2026-05-01T00:00:00Z&to=2027-01-01T00:00:00Z&format={format} HTTP/1.0\r\n\
         Host: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    let (mut bytes, mut lines, mut buffer) = (0, 0, vec![0; 256 * 1024]);
    loop {
        let read = connection.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        lines += lines_in(&buffer[..read]);
    }
    let rate = rows as f64 / began.elapsed().as_secs_f64();
    watching.abort();
    // Besides the head of the answer, every format has a line for each position.
    ensure!(lines >= rows, "{format} has {lines} lines");
    Ok(Measured { rate, bytes, growth: peak.load(Ordering::Relaxed).saturating_sub(before) })
}

fn lines_in(text: &[u8]) -> u64 {
    text.split(|byte| *byte == b'\n').count() as u64 - 1
}
