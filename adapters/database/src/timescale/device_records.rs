use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{DeviceRecords, StoreError};
use processor_domain::{Coordinates, DeviceId, StoredRecord, Timestamp};
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{self, PgPool, Row};

use super::Lease;
use super::deadline::in_time;
use super::moment::PgMoment;
use crate::stored::faults;

/// By the index on (device, time descending), a chunk at a time: no more rows are read than are wanted.
const NEWEST: &str = "SELECT p.ts, p.ingested_at::timestamptz, p.latitude::float8, p.longitude::float8,
    p.faults::int4, coalesce(p.faulty, false)
FROM positions p WHERE p.device_id = $1 ORDER BY p.ts DESC LIMIT $2";

const COUNT: &str = "SELECT count(*) FROM (
    SELECT 1 FROM positions p WHERE p.device_id = $1 AND p.ts >= $2 LIMIT $3
) counted";

/// What PostgreSQL has of one device.
#[derive(Debug, Clone)]
pub struct TimescaleDeviceRecords {
    readers: PgPool,
    deadline: Duration,
}

impl TimescaleDeviceRecords {
    pub(crate) const fn new(readers: PgPool, deadline: Duration) -> Self {
        Self { readers, deadline }
    }

    async fn read_newest(&self, device: &DeviceId, limit: usize) -> Result<Vec<StoredRecord>, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let rows = sqlx::query(NEWEST)
            .bind(device.as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        connection.give_back();
        rows.iter().map(record).collect()
    }

    async fn count(&self, device: &DeviceId, since: Timestamp, most: u64) -> Result<u64, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(device.as_str())
            .bind(PgMoment(since))
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_one(&mut *connection)
            .await?;
        connection.give_back();
        Ok(count.unsigned_abs())
    }
}

fn record(row: &PgRow) -> Result<StoredRecord, sqlx::Error> {
    let coordinates = row.try_get::<Option<f64>, _>(2)?.zip(row.try_get(3)?);
    Ok(StoredRecord {
        ts: row.try_get::<PgMoment, _>(0)?.0,
        written_at: row.try_get::<Option<PgMoment>, _>(1)?.map(|PgMoment(moment)| moment),
        coordinates: coordinates.and_then(|(latitude, longitude)| Coordinates::new(latitude, longitude).ok()),
        faults: faults(row.try_get(4)?),
        faulty: row.try_get(5)?,
    })
}

#[async_trait]
impl DeviceRecords for TimescaleDeviceRecords {
    async fn newest(&self, device: &DeviceId, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        in_time(self.deadline, self.read_newest(device, limit)).await
    }

    async fn count_since(&self, device: &DeviceId, since: Timestamp, most: u64) -> Result<u64, StoreError> {
        in_time(self.deadline, self.count(device, since, most)).await
    }
}
