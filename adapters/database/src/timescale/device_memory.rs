use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{Clock, DeviceMemory, StoreError};
use processor_domain::{DeviceId, DeviceState, Timestamp};
use sea_orm::sqlx::postgres::{PgBindIterExt, PgRow};
use sea_orm::sqlx::{self, PgConnection, PgPool, Row};

use super::Lease;
use super::deadline::in_time;
use super::moment::PgMoment;
use crate::remembered::{AHEAD, FUTURE, LOOKED_THROUGH, fix};
use crate::storable;

/// For each device its newest row and, from its newest rows, the newest that is not faulty.
///
/// Each lookup walks the index on (device, time descending) and stops at the first row that will do. Of a
/// hypertable the newest chunk is asked first; a device with a row in it costs one or two lookups however many
/// chunks there are, one that is not known costs one for each chunk. How many rows are looked through is
/// limited: a tracker that had no fix for months would otherwise have all of them read.
const RECALL: &str = "SELECT d.device_id, newest.ts, good.ts, good.latitude, good.longitude
FROM unnest($1::text[]) AS d (device_id)
CROSS JOIN LATERAL (
    SELECT r.ts
    FROM (
        SELECT p.ts, coalesce(p.faults, 0) & $3 <> 0 AS future
        FROM positions p WHERE p.device_id = d.device_id AND p.ts <= $2 ORDER BY p.ts DESC LIMIT $4
    ) r
    WHERE NOT r.future
    LIMIT 1
) newest
LEFT JOIN LATERAL (
    SELECT r.ts, r.latitude, r.longitude
    FROM (
        SELECT p.ts, p.latitude, p.longitude, coalesce(p.faulty, false) AS faulty
        FROM positions p WHERE p.device_id = d.device_id AND p.ts <= $2 ORDER BY p.ts DESC LIMIT $4
    ) r
    WHERE NOT r.faulty
    LIMIT 1
) good ON true";

/// The newest chunks that hold anything up to $1, newest first.
const CHUNKS: &str = "SELECT c.range_start, c.range_end
FROM timescaledb_information.chunks c
WHERE c.hypertable_name = 'positions' AND c.range_start <= $1
    AND c.hypertable_schema = (
        SELECT n.nspname FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE t.oid = to_regclass('positions')
    )
ORDER BY c.range_end DESC
LIMIT $2";

/// Every device with a row from $1 up to $2, with its newest one: from device to device by the index, one
/// lookup each, so the number of rows does not matter.
const DEVICES: &str = "WITH RECURSIVE known AS (
    (
        SELECT p.device_id, p.ts FROM positions p
        WHERE p.ts >= $1 AND p.ts <= $2 ORDER BY p.device_id, p.ts DESC LIMIT 1
    )
    UNION ALL
    SELECT next.device_id, next.ts
    FROM known k
    CROSS JOIN LATERAL (
        SELECT p.device_id, p.ts FROM positions p
        WHERE p.device_id > k.device_id AND p.ts >= $1 AND p.ts <= $2 ORDER BY p.device_id, p.ts DESC LIMIT 1
    ) next
)
SELECT device_id, ts FROM known ORDER BY ts DESC LIMIT $3";

/// Chunks looked into for devices heard of recently.
const RECENT_CHUNKS: i64 = 8;
/// Devices asked for in one statement.
const SLICE: usize = 2_000;

/// What PostgreSQL remembers of devices.
#[derive(Clone)]
pub struct TimescaleDeviceMemory {
    readers: PgPool,
    deadline: Duration,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for TimescaleDeviceMemory {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TimescaleDeviceMemory").finish_non_exhaustive()
    }
}

type Recalled = Vec<(DeviceId, DeviceState)>;

impl TimescaleDeviceMemory {
    pub(crate) fn new(readers: PgPool, deadline: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { readers, deadline, clock }
    }

    fn newest_allowed(&self) -> PgMoment {
        PgMoment(self.clock.now().plus(AHEAD))
    }

    async fn recall_from(
        connection: &mut PgConnection,
        devices: &[DeviceId],
        until: PgMoment,
    ) -> Result<Recalled, sqlx::Error> {
        let rows = sqlx::query(RECALL)
            .bind(devices.iter().map(DeviceId::as_str).bind_iter())
            .bind(until)
            .bind(FUTURE)
            .bind(LOOKED_THROUGH)
            .fetch_all(connection)
            .await?;
        rows.iter().filter_map(|row| state_of(row).transpose()).collect()
    }

    async fn recall_now(&self, devices: &[DeviceId]) -> Result<Recalled, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let recalled = Self::recall_from(&mut connection, devices, self.newest_allowed()).await?;
        connection.give_back();
        Ok(recalled)
    }

    async fn recall_recent_now(&self, limit: usize) -> Result<Recalled, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let until = self.newest_allowed();
        let mut newest: HashMap<DeviceId, Timestamp> = HashMap::new();
        for (start, end) in spans(&mut connection, until).await? {
            let rows = sqlx::query(DEVICES)
                // A plan for any span walks through all chunks for each device; this one is made for its span.
                .persistent(false)
                .bind(start)
                .bind(end)
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(&mut *connection)
                .await?;
            for row in &rows {
                let PgMoment(ts) = row.try_get(1)?;
                if let Ok(device) = DeviceId::parse(row.try_get(0)?) {
                    // What an earlier, newer span has said stays.
                    newest.entry(device).or_insert(ts);
                }
            }
            if newest.len() >= limit {
                break;
            }
        }
        let mut by_time: Vec<(DeviceId, Timestamp)> = newest.into_iter().collect();
        by_time.sort_unstable_by_key(|(_, ts)| Reverse(*ts));
        by_time.truncate(limit);
        by_time.reverse();

        let mut recalled = Vec::with_capacity(by_time.len());
        for slice in by_time.chunks(SLICE) {
            let devices: Vec<DeviceId> = slice.iter().map(|(device, _)| *device).collect();
            let states = Self::recall_from(&mut connection, &devices, until).await?;
            let mut states: HashMap<DeviceId, DeviceState> = states.into_iter().collect();
            recalled.extend(devices.iter().filter_map(|device| states.remove_entry(device)));
        }
        connection.give_back();
        Ok(recalled)
    }
}

/// The spans of time to look for devices in, newest first: those of the newest chunks of a hypertable, all time
/// for a plain table. Within a chunk's own span a lookup by device never passes over a row for its time.
async fn spans(
    connection: &mut PgConnection,
    until: PgMoment,
) -> Result<Vec<(PgMoment, PgMoment)>, sqlx::Error> {
    let timescale: bool =
        sqlx::query_scalar("SELECT to_regclass('timescaledb_information.chunks') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await?;
    let mut spans: Vec<(PgMoment, PgMoment)> = Vec::new();
    if timescale {
        let chunks: Vec<(PgMoment, PgMoment)> =
            sqlx::query_as(CHUNKS).bind(until).bind(RECENT_CHUNKS).fetch_all(connection).await?;
        // A chunk ends before its end.
        let last = |PgMoment(end): PgMoment| end.minus(Duration::from_micros(1)).min(until.0);
        spans.extend(chunks.into_iter().map(|(start, end)| (start, PgMoment(last(end)))));
    }
    if spans.is_empty() {
        spans.push((PgMoment(storable::FIRST), until));
    }
    Ok(spans)
}

/// `None` for a device whose name this program cannot have given.
fn state_of(row: &PgRow) -> Result<Option<(DeviceId, DeviceState)>, sqlx::Error> {
    let Ok(device) = DeviceId::parse(row.try_get(0)?) else { return Ok(None) };
    let moment =
        |column| row.try_get::<Option<PgMoment>, _>(column).map(|found| found.map(|PgMoment(ts)| ts));
    let last_good = fix(moment(2)?, row.try_get(3)?, row.try_get(4)?);
    Ok(Some((device, DeviceState::remembered(moment(1)?, last_good))))
}

#[async_trait]
impl DeviceMemory for TimescaleDeviceMemory {
    async fn recall(&self, devices: &[DeviceId]) -> Result<Recalled, StoreError> {
        in_time(self.deadline, self.recall_now(devices)).await
    }

    /// Looks into the newest chunks of a hypertable, newest first, until it has heard of enough devices; into
    /// all of a plain table. The time it takes grows with the number of devices, not with that of rows.
    async fn recall_recent(&self, limit: usize) -> Result<Recalled, StoreError> {
        in_time(self.deadline, self.recall_recent_now(limit)).await
    }
}
