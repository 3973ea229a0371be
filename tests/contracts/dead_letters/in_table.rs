use std::sync::Arc;

use processor_codec::RecordCodec;
use processor_database::entity::dead_letters::{Column, Entity, Model};
use processor_domain::ports::{DeadLetterQueue, DeadLetters};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{DeadLetterFixture, INSTANCE, Kept};
use crate::databases::DatabaseFixture;

/// Dead letters in the table of a database.
pub(crate) struct InTable<D> {
    database: D,
}

impl<D: DatabaseFixture> DeadLetterFixture for InTable<D> {
    async fn start() -> anyhow::Result<Self> {
        Ok(Self { database: D::start().await? })
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        self.database.database().dead_letters(INSTANCE, RecordCodec::encode)
    }

    fn dead_letter_queue(&self) -> Arc<dyn DeadLetterQueue> {
        self.database.database().dead_letter_queue()
    }

    fn stream(&self, name: &str) -> String {
        name.to_owned()
    }

    async fn kept(&self, stream: &str) -> anyhow::Result<Vec<Kept>> {
        let query = Entity::find().filter(Column::Stream.eq(stream));
        let found = query.all(self.database.database().connection()).await?;
        found.into_iter().map(read).collect()
    }

    async fn go_away(&self) -> anyhow::Result<bool> {
        self.database.database().connection().clone().close().await?;
        Ok(true)
    }
}

fn read(row: Model) -> anyhow::Result<Kept> {
    Ok(Kept {
        entry_id: row.entry_id.parse()?,
        reason: row.reason,
        detail: row.detail,
        payload: row.payload,
        deliveries: row.deliveries.try_into()?,
        instance: Some(row.instance),
    })
}
