use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{DeadLetterQueue, DeadLetterQueueError};
use processor_domain::{
    DeadLetterMark, DeadLetterOrder, DeadLetterPage, DeadLetterSelection, EntryId, KeptDeadLetter,
    OpenedDeadLetter, Timestamp,
};
use sea_orm::prelude::TimeDateTimeWithTimeZone;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, FromQueryResult, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Value,
};
use tokio::time::timeout;

use crate::dead_letters::without_nul;
use crate::entity::columns::Moment;
use crate::entity::dead_letters::{Column, Entity, Model};

/// Ids in one statement.
const SLICE: usize = 500;

/// Dead letters in the table `dead_letters`, of either database. A letter has the id there that its record had in
/// its stream.
#[derive(Debug, Clone)]
pub struct DatabaseDeadLetterQueue {
    database: DatabaseConnection,
    deadline: Duration,
}

/// A row without its payload.
#[derive(FromQueryResult)]
struct Row {
    stream: String,
    entry_id: String,
    reason: String,
    detail: String,
    deliveries: i64,
    instance: String,
    kept_at: Moment,
    payload_bytes: i64,
}

impl Row {
    /// Nothing of a row whose id is none: it is not of this program.
    fn into_letter(self) -> Option<KeptDeadLetter> {
        let id = self.entry_id.parse().ok()?;
        Some(KeptDeadLetter {
            stream: self.stream.into(),
            id,
            kept_at: self.kept_at.0,
            entry_id: Some(id),
            reason: self.reason.into(),
            detail: self.detail.into(),
            deliveries: u32::try_from(self.deliveries).unwrap_or(u32::MAX),
            instance: Some(self.instance.into()),
            payload_bytes: u64::try_from(self.payload_bytes).unwrap_or_default(),
        })
    }
}

impl DatabaseDeadLetterQueue {
    /// `deadline` is how long anything asked of `database` may take.
    pub(crate) const fn new(database: DatabaseConnection, deadline: Duration) -> Self {
        Self { database, deadline }
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DeadLetterQueueError> {
        match timeout(self.deadline, work).await {
            Ok(result) => result.map_err(|error| DeadLetterQueueError::Unavailable(error.into())),
            Err(elapsed) => Err(DeadLetterQueueError::Unavailable(elapsed.into())),
        }
    }

    async fn rows(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        after: Option<DeadLetterMark>,
        limit: u64,
    ) -> Result<Vec<Row>, DbErr> {
        let order = match selection.order {
            DeadLetterOrder::NewestFirst => Order::Desc,
            DeadLetterOrder::OldestFirst => Order::Asc,
        };
        let columns = [
            Column::Stream,
            Column::EntryId,
            Column::Reason,
            Column::Detail,
            Column::Deliveries,
            Column::Instance,
            Column::KeptAt,
        ];
        let mut query = Entity::find()
            .select_only()
            .columns(columns)
            .column_as(Expr::cust("cast(length(payload) AS bigint)"), "payload_bytes")
            .filter(Column::Stream.eq(without_nul(stream)))
            .order_by(Column::KeptAt, order.clone())
            .order_by(Column::EntryId, order)
            .limit(limit);
        if let Some(reason) = selection.reason {
            query = query.filter(Column::Reason.eq(reason.name()));
        }
        if let Some(mark) = after {
            let place = Expr::tuple([Expr::col(Column::KeptAt), Expr::col(Column::EntryId)]);
            let behind = Expr::tuple([Expr::val(self.moment(mark.kept_at)?), Expr::val(mark.id.to_string())]);
            query = query.filter(match selection.order {
                DeadLetterOrder::NewestFirst => place.lt(behind),
                DeadLetterOrder::OldestFirst => place.gt(behind),
            });
        }
        query.into_model().all(&self.database).await
    }

    fn moment(&self, moment: Timestamp) -> Result<Value, DbErr> {
        if self.database.get_database_backend() != DbBackend::Postgres {
            return Ok(Moment(moment).into());
        }
        let moment = TimeDateTimeWithTimeZone::from_unix_timestamp_nanos(i128::from(moment.micros()) * 1_000);
        moment.map(Value::from).map_err(|error| DbErr::Type(error.to_string()))
    }
}

#[async_trait]
impl DeadLetterQueue for DatabaseDeadLetterQueue {
    async fn page(
        &self,
        stream: &str,
        selection: DeadLetterSelection,
        after: Option<DeadLetterMark>,
        limit: usize,
    ) -> Result<DeadLetterPage, DeadLetterQueueError> {
        let rows = self.in_time(self.rows(stream, selection, after, limit as u64)).await?;
        let full = rows.len() >= limit;
        let letters: Vec<KeptDeadLetter> = rows.into_iter().filter_map(Row::into_letter).collect();
        let next = letters.last().filter(|_| full).map(KeptDeadLetter::mark);
        Ok(DeadLetterPage { letters, next })
    }

    async fn count(&self, stream: &str, most: u64) -> Result<u64, DeadLetterQueueError> {
        let letters = Entity::find().select_only().column(Column::EntryId);
        let letters = letters.filter(Column::Stream.eq(without_nul(stream))).limit(most);
        self.in_time(letters.count(&self.database)).await
    }

    async fn find(
        &self,
        stream: &str,
        id: EntryId,
    ) -> Result<Option<OpenedDeadLetter>, DeadLetterQueueError> {
        let key = (without_nul(stream), id.to_string());
        let found = self.in_time(Entity::find_by_id(key).one(&self.database)).await?;
        Ok(found.and_then(opened))
    }

    async fn discard(&self, stream: &str, ids: &[EntryId]) -> Result<u64, DeadLetterQueueError> {
        let mut discarded = 0;
        for slice in ids.chunks(SLICE) {
            let delete = Entity::delete_many()
                .filter(Column::Stream.eq(without_nul(stream)))
                .filter(Column::EntryId.is_in(slice.iter().map(EntryId::to_string)));
            discarded += self.in_time(delete.exec(&self.database)).await?.rows_affected;
        }
        Ok(discarded)
    }
}

fn opened(row: Model) -> Option<OpenedDeadLetter> {
    let Model { stream, entry_id, reason, detail, payload, deliveries, instance, kept_at } = row;
    let payload_bytes = i64::try_from(payload.len()).unwrap_or(i64::MAX);
    let row = Row { stream, entry_id, reason, detail, deliveries, instance, kept_at, payload_bytes };
    Some(OpenedDeadLetter { letter: row.into_letter()?, payload: payload.into() })
}
