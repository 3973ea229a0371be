use async_trait::async_trait;
use processor_domain::ports::{DeviceRecords, StoreError};
use processor_domain::{Coordinates, DeviceId, StoredRecord, Timestamp};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement, Value};

use super::failure::Failure;
use crate::entity::columns::Moment;
use crate::stored::faults;

const NEWEST: &str = "SELECT ts, ingested_at, latitude, longitude, faults, faulty
FROM positions WHERE device_id = ?1 ORDER BY ts DESC LIMIT ?2";

const COUNT: &str = "SELECT count(*) AS count FROM (
    SELECT 1 FROM positions WHERE device_id = ?1 AND ts >= ?2 LIMIT ?3
)";

/// What a file of SQLite has of one device.
#[derive(Debug, Clone)]
pub struct SqliteDeviceRecords {
    readers: DatabaseConnection,
}

#[derive(FromQueryResult)]
struct RecordRow {
    ts: Moment,
    ingested_at: Moment,
    latitude: f64,
    longitude: f64,
    faults: Option<i32>,
    faulty: bool,
}

#[derive(FromQueryResult)]
struct CountRow {
    count: i64,
}

impl SqliteDeviceRecords {
    pub(crate) const fn new(readers: DatabaseConnection) -> Self {
        Self { readers }
    }

    async fn read_newest(&self, device: &DeviceId, limit: usize) -> Result<Vec<RecordRow>, DbErr> {
        let values: [Value; 2] = [device.as_str().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, NEWEST, values);
        RecordRow::find_by_statement(statement).all(&self.readers).await
    }

    async fn count(&self, device: &DeviceId, since: Timestamp, most: u64) -> Result<u64, DbErr> {
        let values: [Value; 3] =
            [device.as_str().into(), since.micros().into(), i64::try_from(most).unwrap_or(i64::MAX).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, COUNT, values);
        let row = CountRow::find_by_statement(statement).one(&self.readers).await?;
        Ok(row.map_or(0, |row| row.count.unsigned_abs()))
    }
}

#[async_trait]
impl DeviceRecords for SqliteDeviceRecords {
    async fn newest(&self, device: &DeviceId, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        let rows = self.read_newest(device, limit).await;
        let rows = rows.map_err(|error| Failure::from(error).into_store_error())?;
        let record = |row: RecordRow| StoredRecord {
            ts: row.ts.0,
            written_at: Some(row.ingested_at.0),
            coordinates: Coordinates::new(row.latitude, row.longitude).ok(),
            faults: faults(row.faults),
            faulty: row.faulty,
        };
        Ok(rows.into_iter().map(record).collect())
    }

    async fn count_since(&self, device: &DeviceId, since: Timestamp, most: u64) -> Result<u64, StoreError> {
        let count = self.count(device, since, most).await;
        count.map_err(|error| Failure::from(error).into_store_error())
    }
}
