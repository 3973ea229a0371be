use async_trait::async_trait;
use processor_domain::ports::{LastPositions, StoreError};
use processor_domain::{DeviceId, Position};
use sea_orm::prelude::Json;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement, Value};

use super::failure::Failure;
use crate::entity::columns::Moment;
use crate::kept_row::KeptRow;
use crate::remembered::LOOKED_THROUGH;

/// For each device the newest of its newest rows that is not faulty, up to a minute ahead of now.
const LAST: &str = "SELECT p.device_id, p.ts, p.latitude, p.longitude, p.altitude, p.angle, p.speed,
    p.satellites, p.priority, p.ingested_at
FROM json_each(?1) d
JOIN positions p ON p.rowid = (
    SELECT r.id FROM (
        SELECT p.rowid AS id, p.faulty, p.ts
        FROM positions p
        WHERE p.device_id = d.value ORDER BY p.ts DESC LIMIT ?2
    ) r
    WHERE NOT r.faulty AND r.ts <= cast((unixepoch('subsec') + 60) * 1000000 AS integer)
    LIMIT 1
)";

/// The last known picture, from a file of SQLite.
#[derive(Debug, Clone)]
pub struct SqliteLastPositions {
    readers: DatabaseConnection,
}

#[derive(FromQueryResult)]
struct Found {
    device_id: String,
    ts: Moment,
    latitude: f64,
    longitude: f64,
    altitude: Option<f64>,
    angle: Option<f64>,
    speed: Option<f64>,
    satellites: Option<i64>,
    priority: i64,
    ingested_at: Moment,
}

impl Found {
    fn position(self) -> Option<Position> {
        let found = self;
        let row = KeptRow {
            ts: found.ts.0,
            latitude: Some(found.latitude),
            longitude: Some(found.longitude),
            altitude: found.altitude,
            angle: found.angle,
            speed: found.speed,
            satellites: found.satellites,
            priority: Some(found.priority),
            ingested_at: Some(found.ingested_at.0),
        };
        row.position_of(DeviceId::parse(&found.device_id).ok()?)
    }
}

impl SqliteLastPositions {
    pub(crate) const fn new(readers: DatabaseConnection) -> Self {
        Self { readers }
    }

    async fn read(&self, devices: &[DeviceId]) -> Result<Vec<Found>, DbErr> {
        let names: Json = devices.iter().map(DeviceId::as_str).collect();
        let values: [Value; 2] = [names.to_string().into(), LOOKED_THROUGH.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, LAST, values);
        Found::find_by_statement(statement).all(&self.readers).await
    }
}

#[async_trait]
impl LastPositions for SqliteLastPositions {
    /// A device costs one lookup however many rows it has. One that was faulty 10,000 times in a row is left
    /// out.
    async fn last_positions(&self, devices: &[DeviceId]) -> Result<Vec<Position>, StoreError> {
        let found = self.read(devices).await.map_err(|error| Failure::from(error).into_store_error())?;
        Ok(found.into_iter().filter_map(Found::position).collect())
    }
}
