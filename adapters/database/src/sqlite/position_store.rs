use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use processor_domain::ports::{PositionStore, StoreError, Verdict};
use processor_domain::{Altitude, Fault, Heading, Judged, Position, Speed};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    SqliteTransactionMode, TransactionOptions, TransactionTrait, TryInsertResult,
};

use super::failure::Failure;
use super::{Pools, attributes};
use crate::entity::columns::{JsonText, Moment};
use crate::entity::positions::{ActiveModel, Column, Entity, Model};
use crate::layers::Layers;
use crate::ruled;
use crate::storable::{refusal, unstorable};

/// Rows in one statement: of few lengths, so that each is prepared once.
const LENGTHS: [usize; 4] = [64, 16, 4, 1];

/// Positions in a file of SQLite.
///
/// One transaction for each batch, through the SeaORM entity. Verdicts are those of PostgreSQL, also where
/// SQLite by itself would take more.
#[derive(Debug)]
pub struct SqlitePositionStore {
    pools: Pools,
}

impl SqlitePositionStore {
    pub(crate) fn new(pools: Pools) -> Self {
        Self { pools }
    }

    async fn write(&self, batch: &[Judged]) -> Result<Vec<Verdict>, Failure> {
        let mut verdicts: Vec<Verdict> = batch
            .iter()
            .map(|judged| refused(&judged.position).map_or(Verdict::Stored, Verdict::Refused))
            .collect();
        let storable = (0..batch.len()).filter(|index| verdicts[*index] == Verdict::Stored).collect();
        let layers = Layers::of(batch, storable);
        // The lock for writing is taken at once: one that is asked for later is refused, not waited for, if
        // another process wrote meanwhile.
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.pools.writer.begin_with_options(immediate).await?;
        for layer in &layers.layers {
            let mut rest = layer.as_slice();
            while !rest.is_empty() {
                let length = LENGTHS.into_iter().find(|length| *length <= rest.len()).unwrap_or(1);
                let (slice, after) = rest.split_at(length);
                write_slice(&transaction, batch, slice, &mut verdicts).await?;
                rest = after;
            }
        }
        transaction.commit().await?;
        layers.echo(&mut verdicts);
        Ok(verdicts)
    }
}

fn refused(position: &Position) -> Option<Box<str>> {
    unstorable(position)
        .or_else(|| attributes::fault(&position.attributes).map(|fault| refusal(position, &fault)))
}

/// Writes rows with different keys; one that is refused is found by writing each alone.
async fn write_slice(
    transaction: &DatabaseTransaction,
    batch: &[Judged],
    slice: &[usize],
    verdicts: &mut [Verdict],
) -> Result<(), Failure> {
    let inserted = match insert(transaction, batch, slice).await {
        Ok(inserted) => inserted,
        // A statement that fails changes nothing and leaves its transaction as it was.
        Err(Failure::Row(error)) => {
            match slice {
                [alone] => verdicts[*alone] = Verdict::Refused(refusal(&batch[*alone].position, &error)),
                _ => {
                    for row in slice {
                        Box::pin(write_slice(transaction, batch, std::slice::from_ref(row), verdicts))
                            .await?;
                    }
                }
            }
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    if inserted.len() == slice.len() {
        return Ok(());
    }
    let missing: Vec<usize> =
        slice.iter().copied().filter(|row| !inserted.contains(&key_of(&batch[*row].position))).collect();
    let there = rows_there(transaction, batch, &missing).await?;
    for row in missing {
        let Some(there) = there.get(&key_of(&batch[row].position)) else { continue };
        verdicts[row] = match united(there, &batch[row]) {
            Some(united) => {
                Entity::update(united).exec(transaction).await?;
                Verdict::Merged
            }
            None => Verdict::Duplicate,
        };
    }
    Ok(())
}

type Key = (String, Moment);

fn key_of(position: &Position) -> Key {
    (position.device_id.as_str().to_owned(), Moment(position.ts))
}

/// Inserts those of `rows` that are not there and returns their keys.
async fn insert(
    transaction: &DatabaseTransaction,
    batch: &[Judged],
    rows: &[usize],
) -> Result<HashSet<Key>, Failure> {
    let result = Entity::insert_many(rows.iter().map(|row| row_of(&batch[*row])))
        .on_conflict_do_nothing_on([Column::DeviceId, Column::Ts])
        .exec_with_returning_keys(transaction)
        .await?;
    Ok(match result {
        TryInsertResult::Inserted(keys) => keys.into_iter().collect(),
        TryInsertResult::Empty | TryInsertResult::Conflicted => HashSet::new(),
    })
}

fn row_of(Judged { position, faults, .. }: &Judged) -> ActiveModel {
    ActiveModel {
        device_id: Set(position.device_id.as_str().to_owned()),
        ts: Set(Moment(position.ts)),
        latitude: Set(position.coordinates.latitude()),
        longitude: Set(position.coordinates.longitude()),
        altitude: Set(position.altitude.map(Altitude::metres)),
        angle: Set(position.heading.map(Heading::degrees)),
        speed: Set(position.speed.map(Speed::kmh)),
        satellites: Set(position.satellites.map(i16::from)),
        priority: Set(i16::from(position.priority.number())),
        attributes: Set(JsonText(position.attributes.as_json().to_owned())),
        faulty: Set(faults.faulty()),
        ingested_at: NotSet,
        faults: Set((!faults.is_empty()).then(|| i32::from(faults.bits()))),
    }
}

/// What is there under the keys of `rows`.
async fn rows_there(
    transaction: &DatabaseTransaction,
    batch: &[Judged],
    rows: &[usize],
) -> Result<HashMap<Key, Model>, Failure> {
    let keys = rows.iter().fold(Condition::any(), |keys, row| {
        let (device_id, ts) = key_of(&batch[*row].position);
        keys.add(Column::DeviceId.eq(device_id).and(Column::Ts.eq(ts)))
    });
    let there = Entity::find().filter(keys).all(transaction).await?;
    Ok(there.into_iter().map(|row| ((row.device_id.clone(), row.ts), row)).collect())
}

/// What `there` becomes by what `judged` adds to it; `None` if it adds nothing.
fn united(there: &Model, judged: &Judged) -> Option<ActiveModel> {
    let new = row_of(judged);
    let mut united = ActiveModel { device_id: new.device_id, ts: new.ts, ..ActiveModel::default() };
    let mut changed = false;
    if let Some(attributes) = attributes::united(&there.attributes.0, &judged.position.attributes) {
        united.attributes = Set(JsonText(attributes));
        changed = true;
    }
    if i16::from(judged.position.priority.number()) > there.priority {
        united.priority = new.priority;
        changed = true;
    }
    if ruled::gives_way(there.faulty, there.faults) && ruled::placed(judged.faults) {
        united.latitude = new.latitude;
        united.longitude = new.longitude;
        united.altitude = new.altitude;
        united.angle = new.angle;
        united.speed = new.speed;
        united.satellites = new.satellites;
        let faults = judged.faults.union(ruled::faults(there.faults).intersection(Fault::Marked.into()));
        united.faulty = Set(faults.faulty());
        united.faults = Set((!faults.is_empty()).then(|| i32::from(faults.bits())));
        changed = true;
    }
    changed.then_some(united)
}

#[async_trait]
impl PositionStore for SqlitePositionStore {
    async fn commit(&self, batch: &[Judged]) -> Result<Vec<Verdict>, StoreError> {
        // The span is of whoever asked for the commit.
        tracing::Span::current().record("db.operation.name", "INSERT");
        self.write(batch).await.map_err(Failure::into_store_error)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let asked = self.pools.readers.execute_unprepared("SELECT 1").await;
        asked.map(|_| ()).map_err(|error| Failure::from(error).into_store_error())
    }
}
