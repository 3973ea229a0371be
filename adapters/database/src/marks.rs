//! What operators say, in the table `marks` of either database.

mod statements;
mod transaction;

use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{Changes, MarkError, MarkQuery, Marked, Marks, StoreError, StoreFailure};
use processor_domain::{DeviceId, Mark, MarkId, NewMark, Revision, Span, Words};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement};
use statements::{Statements, marks_of};
use transaction::{Change, Failure, Made, Rulebook};

use crate::{sqlite, timescale};

/// Marks that may count at the same time: every instance has them in memory.
const MOST_MARKS: i64 = 10_000;
/// Positions changed with one mark: more than a day of a tracker that sends one a second.
const MOST_POSITIONS: i64 = 100_000;
/// Changes told at once.
const CHANGES_AT_ONCE: i64 = 1_000;
/// In between two attempts at what others held for too long.
const PAUSE: Duration = Duration::from_millis(50);

/// Marks and the positions that they speak of, in either database.
///
/// One transaction makes or takes back a mark and changes its positions. It works on few rows at a time, in the
/// order of their keys, and waits for nobody's row longer than a moment: before anybody could wait for it in a
/// circle it gives everything up and begins anew. So no writer of positions ever fails for it.
#[derive(Debug, Clone)]
pub struct DatabaseMarks {
    connection: DatabaseConnection,
    statements: Statements,
    deadline: Duration,
}

impl DatabaseMarks {
    /// On connections of their own, each operation ended after `deadline`.
    pub(crate) fn new(connection: DatabaseConnection, deadline: Duration) -> Self {
        let statements = Statements::of(connection.get_database_backend());
        Self { connection, statements, deadline }
    }

    /// Tries until it is done or cannot be, for as long as others have a row in hand.
    async fn make(&self, change: &Change<'_>) -> Result<Made, MarkError> {
        let attempts = async {
            loop {
                match self.attempt(change).await {
                    Ok(made) => return Ok(made),
                    Err(Failure::Refused(error)) => return Err(error),
                    Err(Failure::Database(error)) if self.is_in_the_way(&error) => {
                        tracing::debug!(%error, "somebody has a position in hand that is to be marked");
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(Failure::Database(error)) => return Err(self.unavailable(error).into()),
                }
            }
        };
        in_time(self.deadline, attempts).await?
    }

    async fn attempt(&self, change: &Change<'_>) -> Result<Made, Failure> {
        let rulebook = Rulebook::open(&self.connection, self.statements).await?;
        let made = rulebook.make(change).await?;
        rulebook.close().await?;
        Ok(made)
    }

    async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, StoreError> {
        let rows = in_time(self.deadline, self.connection.query_all_raw(statement)).await?;
        rows.map_err(|error| self.unavailable(error))
    }

    fn unavailable(&self, error: DbErr) -> StoreError {
        match self.connection.get_database_backend() {
            DbBackend::Sqlite => sqlite::unavailable(error),
            _ => StoreError::Unavailable { kind: kind(&error), cause: error.into() },
        }
    }

    fn is_in_the_way(&self, error: &DbErr) -> bool {
        self.connection.get_database_backend() == DbBackend::Postgres
            && matches!(
                kind(error),
                StoreFailure::LockTimeout | StoreFailure::Deadlock | StoreFailure::Serialization
            )
    }
}

/// The kind of an error of PostgreSQL.
fn kind(error: &DbErr) -> StoreFailure {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => timescale::kind_of(cause),
        DbErr::ConnectionAcquire(_) => StoreFailure::PoolTimeout,
        _ => StoreFailure::Unknown,
    }
}

async fn in_time<T>(limit: Duration, work: impl Future<Output = T> + Send) -> Result<T, StoreError> {
    let done = tokio::time::timeout(limit, work).await;
    done.map_err(|elapsed| StoreError::Unavailable { kind: StoreFailure::Deadline, cause: elapsed.into() })
}

#[async_trait]
impl Marks for DatabaseMarks {
    async fn mark(&self, said: &NewMark) -> Result<Marked, MarkError> {
        let Made { mark, positions } = self.make(&Change::Add(said)).await?;
        let missing =
            || StoreError::Unavailable { kind: StoreFailure::Schema, cause: "the mark is not there".into() };
        Ok(Marked { mark: mark.ok_or_else(missing)?, positions })
    }

    async fn take_back(&self, id: MarkId, by: &Words) -> Result<Option<Marked>, MarkError> {
        let Made { mark, positions } = self.make(&Change::TakeBack(id, by)).await?;
        Ok(mark.map(|mark| Marked { mark, positions }))
    }

    async fn list(&self, query: &MarkQuery) -> Result<Vec<Mark>, StoreError> {
        let rows = self.read(self.statements.list(query)).await?;
        marks_of(&rows).map_err(|error| self.unavailable(error))
    }

    async fn changes(&self, after: Revision) -> Result<Changes, StoreError> {
        let rows = self.read(self.statements.changes(after, CHANGES_AT_ONCE)).await?;
        let changes = rows.last().map_or(Ok(after), |row| row.try_get("", "revision").map(Revision));
        let changes = changes.and_then(|revision| Ok(Changes { marks: marks_of(&rows)?, revision }));
        changes.map_err(|error| self.unavailable(error))
    }

    async fn align(&self, device_id: &DeviceId, span: Span) -> Result<u64, MarkError> {
        Ok(self.make(&Change::Align(device_id, span)).await?.positions)
    }
}
