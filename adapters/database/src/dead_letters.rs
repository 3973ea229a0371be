use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{DeadLetters, DeadLettersError};
use processor_domain::{DeadLetter, DeadPayload, Position};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};
use tokio::time::timeout;

use crate::entity::dead_letters::{ActiveModel, Column, Entity};

/// Letters in one statement: each may be as large as a record.
const SLICE: usize = 100;

/// Writes a position as a record in the wire format.
pub type EncodeRecord = fn(&Position) -> Box<[u8]>;

/// Dead letters in the table `dead_letters`, of either database.
///
/// It is the sink for when the stream cannot keep them. A letter that is there already is left as it is.
#[derive(Debug, Clone)]
pub struct DatabaseDeadLetters {
    database: DatabaseConnection,
    deadline: Duration,
    instance: Arc<str>,
    encode: EncodeRecord,
}

impl DatabaseDeadLetters {
    /// `deadline` is how long a piece of the letters may take; `instance` names this process in each letter;
    /// `encode` writes the position of one that had been decoded.
    pub(crate) fn new(
        database: DatabaseConnection,
        deadline: Duration,
        instance: &str,
        encode: EncodeRecord,
    ) -> Self {
        Self { database, deadline, instance: without_nul(instance).into(), encode }
    }

    fn row_of(&self, letter: &DeadLetter) -> ActiveModel {
        ActiveModel {
            stream: Set(without_nul(&letter.stream)),
            entry_id: Set(letter.entry_id.to_string()),
            reason: Set(letter.reason.name().to_owned()),
            detail: Set(without_nul(&letter.detail)),
            payload: Set(match &letter.payload {
                DeadPayload::Raw(bytes) => bytes.to_vec(),
                DeadPayload::Position(position) => (self.encode)(position).into_vec(),
            }),
            deliveries: Set(i64::from(letter.deliveries)),
            instance: Set((*self.instance).to_owned()),
            kept_at: NotSet,
        }
    }

    async fn insert(&self, letters: &[DeadLetter]) -> Result<(), DbErr> {
        Entity::insert_many(letters.iter().map(|letter| self.row_of(letter)))
            .on_conflict_do_nothing_on([Column::Stream, Column::EntryId])
            .exec_without_returning(&self.database)
            .await?;
        Ok(())
    }
}

/// PostgreSQL has no text with NUL in it, and a detail may quote what was received.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[async_trait]
impl DeadLetters for DatabaseDeadLetters {
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLettersError> {
        for slice in letters.chunks(SLICE) {
            // A server that is gone without saying so never answers.
            let kept = timeout(self.deadline, self.insert(slice)).await;
            let kept = kept.map_err(|elapsed| DeadLettersError::Unavailable(elapsed.into()))?;
            kept.map_err(|error| DeadLettersError::Unavailable(error.into()))?;
        }
        Ok(())
    }
}
