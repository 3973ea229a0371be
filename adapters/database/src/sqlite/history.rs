use std::num::NonZeroUsize;

use async_trait::async_trait;
use processor_domain::ports::{History, HistoryPage, StoreError};
use processor_domain::{Attributes, DeviceId, HistoryCursor, HistoryQuery, Kept, Timestamp};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::failure::Failure;
use crate::entity::columns::Moment;
use crate::entity::positions::{Column, Entity, Model};
use crate::kept_row::KeptRow;
use crate::paging::{Paging, Portion};
use crate::ruled;

/// Positions of the past, from a file of SQLite.
#[derive(Debug, Clone)]
pub struct SqliteHistory {
    readers: DatabaseConnection,
}

impl SqliteHistory {
    pub(crate) const fn new(readers: DatabaseConnection) -> Self {
        Self { readers }
    }

    async fn read(&self, mut paging: Paging<'_>) -> Result<HistoryPage, DbErr> {
        while let Some(portion) = paging.next_portion() {
            let attributes = paging.query().attributes;
            let rows = self.read_portion(&portion).await?;
            let rows = rows.into_iter().map(|row| (row.ts.0, kept(row, portion.device_id, attributes)));
            paging.take(&portion, rows.collect());
        }
        Ok(paging.page())
    }

    async fn read_portion(&self, portion: &Portion) -> Result<Vec<Model>, DbErr> {
        Entity::find()
            .filter(Column::DeviceId.eq(portion.device_id.as_str()))
            .filter(Column::Ts.gte(Moment(portion.span.from())))
            .filter(Column::Ts.lt(Moment(portion.span.to())))
            .order_by_asc(Column::Ts)
            .limit(portion.limit as u64)
            .all(&self.readers)
            .await
    }
}

/// What a row is; `None` for one that is no position.
fn kept(row: Model, device_id: DeviceId, attributes: bool) -> Option<Kept> {
    let ts: Timestamp = row.ts.0;
    let found = KeptRow {
        ts,
        latitude: Some(row.latitude),
        longitude: Some(row.longitude),
        altitude: row.altitude.map(f64::from),
        angle: row.angle.map(f64::from),
        speed: row.speed.map(f64::from),
        satellites: row.satellites.map(i64::from),
        priority: Some(row.priority.into()),
        ingested_at: Some(row.ingested_at.0),
    };
    let mut position = found.position_of(device_id)?;
    if attributes {
        position.attributes = Attributes::from_canonical_json(row.attributes.0);
    }
    Some(Kept { position, faults: ruled::faults(row.faults), faulty: row.faulty })
}

#[async_trait]
impl History for SqliteHistory {
    async fn page(
        &self,
        query: &HistoryQuery,
        after: Option<HistoryCursor>,
        limit: NonZeroUsize,
    ) -> Result<HistoryPage, StoreError> {
        let page = self.read(Paging::new(query, after, limit)).await;
        page.map_err(|error| Failure::from(error).into_store_error())
    }
}
