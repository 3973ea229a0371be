use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{LastPositions, StoreError};
use processor_domain::{DeviceId, Position};
use sea_orm::sqlx::postgres::{PgBindIterExt, PgRow};
use sea_orm::sqlx::{self, PgPool, Row};

use super::Lease;
use super::deadline::in_time;
use super::moment::PgMoment;
use crate::kept_row::KeptRow;
use crate::remembered::LOOKED_THROUGH;

/// For each device the newest of its newest rows that is not faulty.
///
/// Each lookup walks the index on (device, time descending) and stops at the first row that will do, so one
/// row of a device is read however many it has; DISTINCT ON would read all of them. Of a hypertable the newest
/// chunk is asked first. How many rows are looked through is limited: a tracker that had no fix for months
/// would otherwise have all of them read, for every viewer.
///
/// Times ahead of now are marked as faulty where this program wrote them; a table that was found may have some
/// that are not, and such a one would be the newest for years. They are passed over one by one: a bound on time
/// inside of the lookup would have the server compare it with every chunk for every query, for a fourth of the
/// whole time.
const LAST: &str = "SELECT d.device_id, p.ts, p.latitude::float8, p.longitude::float8, p.altitude::float8,
    p.angle::float8, p.speed::float8, p.satellites::int8, p.priority::int8, p.ingested_at::timestamptz
FROM unnest($1::text[]) AS d (device_id)
CROSS JOIN LATERAL (
    SELECT r.*
    FROM (
        SELECT p.ts, p.latitude, p.longitude, p.altitude, p.angle, p.speed, p.satellites, p.priority,
            p.ingested_at, coalesce(p.faulty, false) AS faulty
        FROM positions p
        WHERE p.device_id = d.device_id ORDER BY p.ts DESC LIMIT $2
    ) r
    WHERE NOT r.faulty AND r.ts <= now() + interval '1 minute'
    LIMIT 1
) p";

/// The last known picture, from PostgreSQL.
#[derive(Debug, Clone)]
pub struct TimescaleLastPositions {
    readers: PgPool,
    deadline: Duration,
}

impl TimescaleLastPositions {
    pub(crate) const fn new(readers: PgPool, deadline: Duration) -> Self {
        Self { readers, deadline }
    }

    async fn read(&self, devices: &[DeviceId]) -> Result<Vec<Position>, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        let rows = sqlx::query(LAST)
            .bind(devices.iter().map(DeviceId::as_str).bind_iter())
            .bind(LOOKED_THROUGH)
            .fetch_all(&mut *connection)
            .await?;
        connection.give_back();
        rows.iter().filter_map(|row| last_position(row).transpose()).collect()
    }
}

/// `None` for a row that is no position.
fn last_position(row: &PgRow) -> Result<Option<Position>, sqlx::Error> {
    let Ok(device_id) = DeviceId::parse(row.try_get(0)?) else { return Ok(None) };
    let row = KeptRow {
        ts: row.try_get::<PgMoment, _>(1)?.0,
        latitude: row.try_get(2)?,
        longitude: row.try_get(3)?,
        altitude: row.try_get(4)?,
        angle: row.try_get(5)?,
        speed: row.try_get(6)?,
        satellites: row.try_get(7)?,
        priority: row.try_get(8)?,
        ingested_at: row.try_get::<Option<PgMoment>, _>(9)?.map(|PgMoment(moment)| moment),
    };
    Ok(row.position_of(device_id))
}

#[async_trait]
impl LastPositions for TimescaleLastPositions {
    /// A device costs one lookup if it has a row in the newest chunk, and one more for each chunk passed over
    /// until there is one. A device that was faulty 10,000 times in a row is left out.
    async fn last_positions(&self, devices: &[DeviceId]) -> Result<Vec<Position>, StoreError> {
        in_time(self.deadline, self.read(devices)).await
    }
}
