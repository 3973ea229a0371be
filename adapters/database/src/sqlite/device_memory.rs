use std::sync::Arc;

use async_trait::async_trait;
use processor_domain::ports::{Clock, DeviceMemory, StoreError};
use processor_domain::{DeviceId, DeviceState};
use sea_orm::prelude::Json;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement, Value};

use super::failure::Failure;
use crate::entity::columns::Moment;
use crate::remembered::{AHEAD, FUTURE, LOOKED_THROUGH, fix};

/// For each device its newest row that is not from the future and, from its newest rows, the newest that is
/// not faulty.
const RECALL: &str =
    "SELECT d.value AS device_id, newest.ts AS newest, good.ts AS good, good.latitude, good.longitude
FROM json_each(?1) d
JOIN positions newest ON newest.rowid = (
    SELECT r.id FROM (
        SELECT p.rowid AS id, coalesce(p.faults, 0) & ?3 AS future
        FROM positions p WHERE p.device_id = d.value AND p.ts <= ?2 ORDER BY p.ts DESC LIMIT ?4
    ) r WHERE r.future = 0 LIMIT 1
)
LEFT JOIN positions good ON good.rowid = (
    SELECT r.id FROM (
        SELECT p.rowid AS id, p.faulty
        FROM positions p WHERE p.device_id = d.value AND p.ts <= ?2 ORDER BY p.ts DESC LIMIT ?4
    ) r WHERE NOT r.faulty LIMIT 1
)";

/// The devices with the newest rows, the newest last: from device to device by the index, one lookup each.
const DEVICES: &str = "WITH RECURSIVE known (device_id, ts) AS (
    SELECT * FROM (SELECT device_id, ts FROM positions WHERE ts <= ?1 ORDER BY device_id, ts DESC LIMIT 1)
    UNION ALL
    SELECT next.device_id, next.ts
    FROM known k
    JOIN positions next ON next.rowid = (
        SELECT p.rowid FROM positions p
        WHERE p.device_id > k.device_id AND p.ts <= ?1 ORDER BY p.device_id, p.ts DESC LIMIT 1
    )
)
SELECT device_id FROM (SELECT device_id, ts FROM known ORDER BY ts DESC LIMIT ?2) ORDER BY ts";

/// What a file of SQLite remembers of devices.
#[derive(Clone)]
pub struct SqliteDeviceMemory {
    readers: DatabaseConnection,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for SqliteDeviceMemory {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SqliteDeviceMemory").finish_non_exhaustive()
    }
}

type Recalled = Vec<(DeviceId, DeviceState)>;

#[derive(FromQueryResult)]
struct Remembered {
    device_id: String,
    newest: Moment,
    good: Option<Moment>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl SqliteDeviceMemory {
    pub(crate) fn new(readers: DatabaseConnection, clock: Arc<dyn Clock>) -> Self {
        Self { readers, clock }
    }

    fn newest_allowed(&self) -> i64 {
        self.clock.now().plus(AHEAD).micros()
    }

    /// In the order of `devices`.
    async fn recall_now(&self, devices: &[DeviceId]) -> Result<Recalled, DbErr> {
        let names: Json = devices.iter().map(DeviceId::as_str).collect();
        let values: [Value; 4] =
            [names.to_string().into(), self.newest_allowed().into(), FUTURE.into(), LOOKED_THROUGH.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, RECALL, values);
        let found = Remembered::find_by_statement(statement).all(&self.readers).await?;
        Ok(found
            .into_iter()
            .filter_map(|found| {
                let device = DeviceId::parse(&found.device_id).ok()?;
                let last_good = fix(found.good.map(|good| good.0), found.latitude, found.longitude);
                Some((device, DeviceState::remembered(Some(found.newest.0), last_good)))
            })
            .collect())
    }

    async fn recall_recent_now(&self, limit: usize) -> Result<Recalled, DbErr> {
        #[derive(FromQueryResult)]
        struct Known {
            device_id: String,
        }

        let values: [Value; 2] =
            [self.newest_allowed().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, DEVICES, values);
        let known = Known::find_by_statement(statement).all(&self.readers).await?;
        let devices: Vec<DeviceId> =
            known.iter().filter_map(|known| DeviceId::parse(&known.device_id).ok()).collect();
        self.recall_now(&devices).await
    }
}

#[async_trait]
impl DeviceMemory for SqliteDeviceMemory {
    async fn recall(&self, devices: &[DeviceId]) -> Result<Recalled, StoreError> {
        self.recall_now(devices).await.map_err(|error| Failure::from(error).into_store_error())
    }

    /// The time it takes grows with the number of devices, not with that of rows.
    async fn recall_recent(&self, limit: usize) -> Result<Recalled, StoreError> {
        self.recall_recent_now(limit).await.map_err(|error| Failure::from(error).into_store_error())
    }
}
