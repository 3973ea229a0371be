use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{History, HistoryPage, StoreError};
use processor_domain::{Attributes, DeviceId, HistoryCursor, HistoryQuery, Kept, Timestamp};
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{self, PgConnection, PgPool, Row};

use super::Lease;
use super::deadline::in_time;
use super::moment::PgMoment;
use crate::kept_row::KeptRow;
use crate::paging::{Paging, Portion};
use crate::ruled;

/// One device's positions in a span, oldest first, by the unique index backwards. The bounds are plain, so that of
/// a hypertable only the chunks of the span are looked into.
macro_rules! portion_with {
    ($attributes:literal) => {
        concat!(
            "SELECT p.ts, p.latitude::float8, p.longitude::float8, p.altitude::float8, p.angle::float8,
    p.speed::float8, p.satellites::int8, p.priority::int8, p.ingested_at::timestamptz, coalesce(p.faulty, false),
    p.faults, ",
            $attributes,
            "
FROM positions p
WHERE p.device_id = $1 AND p.ts >= $2 AND p.ts < $3
ORDER BY p.ts
LIMIT $4"
        )
    };
}
const WITH_ATTRIBUTES: &str = portion_with!("coalesce(p.attributes, '{}')::text");
const WITHOUT: &str = portion_with!("NULL::text");

/// Positions of the past, from PostgreSQL.
#[derive(Debug, Clone)]
pub struct TimescaleHistory {
    readers: PgPool,
    deadline: Duration,
}

impl TimescaleHistory {
    pub(crate) const fn new(readers: PgPool, deadline: Duration) -> Self {
        Self { readers, deadline }
    }

    async fn read(&self, mut paging: Paging<'_>) -> Result<HistoryPage, sqlx::Error> {
        let mut connection = Lease::of(&self.readers).await?;
        while let Some(portion) = paging.next_portion() {
            let rows = read_portion(&mut connection, &portion, paging.query().attributes).await?;
            let positions = rows.iter().map(|row| kept(row, portion.device_id));
            paging.take(&portion, positions.collect::<Result<_, _>>()?);
        }
        connection.give_back();
        Ok(paging.page())
    }
}

async fn read_portion(
    connection: &mut PgConnection,
    portion: &Portion,
    attributes: bool,
) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::query(if attributes { WITH_ATTRIBUTES } else { WITHOUT })
        .bind(portion.device_id.as_str())
        .bind(PgMoment(portion.span.from()))
        .bind(PgMoment(portion.span.to()))
        .bind(i64::try_from(portion.limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
}

/// The time of a row, and what it is; `None` for one that is no position.
fn kept(row: &PgRow, device_id: DeviceId) -> Result<(Timestamp, Option<Kept>), sqlx::Error> {
    let PgMoment(ts) = row.try_get(0)?;
    let found = KeptRow {
        ts,
        latitude: row.try_get(1)?,
        longitude: row.try_get(2)?,
        altitude: row.try_get(3)?,
        angle: row.try_get(4)?,
        speed: row.try_get(5)?,
        satellites: row.try_get(6)?,
        priority: row.try_get(7)?,
        ingested_at: row.try_get::<Option<PgMoment>, _>(8)?.map(|PgMoment(moment)| moment),
    };
    let Some(mut position) = found.position_of(device_id) else { return Ok((ts, None)) };
    if let Some(attributes) = row.try_get::<Option<&str>, _>(11)? {
        position.attributes = Attributes::from_canonical_json(compact(attributes));
    }
    let faults = ruled::faults(row.try_get(10)?);
    Ok((ts, Some(Kept { position, faults, faulty: row.try_get(9)? })))
}

/// `jsonb` is written with a space after each colon and comma; without them it is as it was stored.
fn compact(jsonb: &str) -> String {
    let mut compact = String::with_capacity(jsonb.len());
    let (mut in_string, mut escaped) = (false, false);
    for char in jsonb.chars() {
        if in_string {
            in_string = escaped || char != '"';
            escaped = char == '\\' && !escaped;
        } else if char == ' ' {
            continue;
        } else {
            in_string = char == '"';
        }
        compact.push(char);
    }
    compact
}

#[async_trait]
impl History for TimescaleHistory {
    async fn page(
        &self,
        query: &HistoryQuery,
        after: Option<HistoryCursor>,
        limit: NonZeroUsize,
    ) -> Result<HistoryPage, StoreError> {
        in_time(self.deadline, self.read(Paging::new(query, after, limit))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_between_tokens_go_and_those_in_strings_stay() {
        assert_eq!(compact(r#"{"a b": "c, \": d\\", "e": [1, 2]}"#), r#"{"a b":"c, \": d\\","e":[1,2]}"#);
        assert_eq!(compact("{}"), "{}");
    }
}
