use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{PositionStore, StoreError, StoreFailure, Verdict};
use processor_domain::{Judged, Novelty};
use sea_orm::sqlx::{self, Connection};

use super::copy_backoff::CopyBackoff;
use super::pools::PING_LIMIT;
use super::unite::OnFailure;
use super::{Failure, Lease, Pools, copy, unite};
use crate::DatabaseSettings;
use crate::layers::{Layers, by_key, key};
use crate::storable::unstorable;

/// Bytes of COPY data, about, below which rows are inserted.
///
/// The end of a COPY is a message of its own, and the driver leaves Nagle's algorithm on: the message waits
/// until the server has acknowledged the data. Data that fits into one segment, 64 KiB on the loopback
/// interface, is acknowledged 40 ms late. A batch that small means that there is little to write; what COPY
/// would save the server then is less than what the wait costs.
const WORTH_COPYING: usize = 96 * 1024;
/// Bytes of a row of COPY data, about, without its attributes.
const ROW: usize = 105;

/// Positions in PostgreSQL, as a hypertable of TimescaleDB or as a plain table.
///
/// There are two ways into the table. What is likely to be new goes by COPY, which is nearly twice as fast and
/// fails as a whole if one row is there already. What may be there goes by an INSERT that passes over such
/// rows, says which it passed over, and unites those with what is there. Both ways happen in one transaction,
/// and the second one is right for every row: a batch whose COPY fails takes it as a whole. So the hint that
/// chooses the way is worth time and nothing else.
///
/// A row that the server refuses for what it holds is found by halving, and what is too much for one statement goes
/// in parts. `synchronous_commit` stays as the server has it, on unless somebody turned it off: a commit that
/// returned is on disk.
#[derive(Debug)]
pub struct TimescalePositionStore {
    pools: Pools,
    deadline: Duration,
    copying: CopyBackoff,
}

/// The ways to write a batch, from the quickest to the most patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// By COPY what may be, the rest by INSERT.
    Copy,
    /// All by INSERT.
    Insert,
    /// All by INSERT, fewer at a time when the server will not have them, down to the rows that it refuses.
    Halve,
}

/// Which way each row of a batch goes; indices into the batch.
struct Ways {
    copied: Vec<usize>,
    inserted: Vec<usize>,
}

impl TimescalePositionStore {
    pub(crate) fn new(pools: Pools, settings: &DatabaseSettings) -> Self {
        Self { pools, deadline: settings.commit_deadline(), copying: CopyBackoff::default() }
    }

    async fn write(&self, batch: &[Judged], known: &[Verdict]) -> Result<Vec<Verdict>, Failure> {
        let Ways { copied, mut inserted } = self.ways(batch, known);
        if copied.is_empty() && inserted.is_empty() {
            return Ok(known.to_vec());
        }
        let mut writer = self.pools.writers.lease().await?;
        let mut layers = Layers::of(batch, inserted.clone());
        let mut attempt = if copied.is_empty() { Attempt::Insert } else { Attempt::Copy };
        loop {
            let mut verdicts = known.to_vec();
            let result = match attempt {
                Attempt::Copy => {
                    self.copy_and_insert(&mut writer, batch, &copied, &layers, &mut verdicts).await
                }
                Attempt::Insert => {
                    insert(&mut writer, batch, &layers, OnFailure::GiveUp, &mut verdicts).await
                }
                Attempt::Halve => insert(&mut writer, batch, &layers, OnFailure::Halve, &mut verdicts).await,
            };
            attempt = match (attempt, result) {
                (way, Ok(())) => {
                    // The span is of whoever asked for the commit.
                    let operation = if way == Attempt::Copy { "COPY" } else { "INSERT" };
                    tracing::Span::current().record("db.operation.name", operation);
                    writer.give_back();
                    return Ok(verdicts);
                }
                (Attempt::Copy, Err(Failure::Row(_) | Failure::Conflict(_) | Failure::TooMuch(_))) => {
                    inserted.extend_from_slice(&copied);
                    inserted.sort_unstable();
                    layers = Layers::of(batch, std::mem::take(&mut inserted));
                    Attempt::Insert
                }
                (Attempt::Insert, Err(Failure::Row(_) | Failure::TooMuch(_))) => Attempt::Halve,
                (_, Err(failure)) => return Err(failure),
            };
        }
    }

    /// Chooses a way for each row that is not refused already.
    fn ways(&self, batch: &[Judged], known: &[Verdict]) -> Ways {
        let storable = || (0..batch.len()).filter(|index| known[*index] == Verdict::Stored);
        let (mut copied, mut inserted): (Vec<usize>, Vec<usize>) =
            storable().partition(|index| batch[*index].novelty == Novelty::Fresh);
        // The rows of a device get into one leaf of the index, and are read together later. Copies that have keys in
        // common wait for each other, and not in a circle. Stable: what came is in order for long stretches, of which
        // that way of sorting makes use.
        copied.sort_by(by_key(batch));
        // The first of a batch wins. One that is copied is written before one that is inserted, so it must not have the
        // key of an earlier one.
        let shared: HashSet<usize> =
            inserted.iter().flat_map(|index| with_key_of(*index, &copied, batch)).copied().collect();
        if !shared.is_empty() {
            copied.retain(|index| !shared.contains(index));
            inserted.extend(shared);
            inserted.sort_unstable();
        }
        let attributes = |index: &usize| batch[*index].position.attributes.as_json().len();
        let bytes = copied.len() * ROW + copied.iter().map(attributes).sum::<usize>();
        if bytes < WORTH_COPYING || !self.copying.may_copy() {
            return Ways { copied: Vec::new(), inserted: storable().collect() };
        }
        Ways { copied, inserted }
    }

    async fn copy_and_insert(
        &self,
        writer: &mut Lease,
        batch: &[Judged],
        copied: &[usize],
        layers: &Layers,
        verdicts: &mut [Verdict],
    ) -> Result<(), Failure> {
        let rows = copied.iter().map(|index| &batch[*index]);
        let result = if layers.layers.is_empty() {
            copy::copy(writer, rows).await.map_err(Failure::from)
        } else {
            let mut transaction = writer.begin().await?;
            let mut result = copy::copy(&mut transaction, rows).await.map_err(Failure::from);
            if result.is_ok() {
                result = unite::write(&mut transaction, batch, layers, OnFailure::GiveUp, verdicts).await;
            }
            end(transaction, result).await
        };
        match &result {
            Ok(()) => self.copying.succeeded(),
            Err(Failure::Conflict(error)) => {
                tracing::debug!(%error, rows = copied.len(), "rows to be copied are there already");
                self.copying.failed();
            }
            Err(Failure::Row(error)) => {
                tracing::debug!(%error, rows = copied.len(), "rows to be copied have one that is refused");
                self.copying.failed();
            }
            Err(Failure::TooMuch(error)) => {
                tracing::debug!(%error, rows = copied.len(), "rows to be copied are too many for one statement");
                self.copying.failed();
            }
            Err(Failure::Unavailable { .. }) => {}
        }
        result
    }
}

/// Those of `rows`, which are in the order of their keys, that have the key of the row at `index`.
fn with_key_of<'a>(index: usize, rows: &'a [usize], batch: &[Judged]) -> &'a [usize] {
    let key_of = |row: &usize| key(&batch[*row]);
    let from = rows.partition_point(|row| key_of(row) < key_of(&index));
    let count = rows[from..].iter().take_while(|row| key_of(row) == key_of(&index)).count();
    &rows[from..from + count]
}

async fn insert(
    writer: &mut Lease,
    batch: &[Judged],
    layers: &Layers,
    on_failure: OnFailure,
    verdicts: &mut [Verdict],
) -> Result<(), Failure> {
    let mut transaction = writer.begin().await?;
    let result = unite::write(&mut transaction, batch, layers, on_failure, verdicts).await;
    end(transaction, result).await
}

async fn end(transaction: sqlx::PgTransaction<'_>, result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Ok(()) => transaction.commit().await?,
        Err(_) => transaction.rollback().await?,
    }
    result
}

#[async_trait]
impl PositionStore for TimescalePositionStore {
    async fn commit(&self, batch: &[Judged]) -> Result<Vec<Verdict>, StoreError> {
        let known: Vec<Verdict> = batch
            .iter()
            .map(|judged| unstorable(&judged.position).map_or(Verdict::Stored, Verdict::Refused))
            .collect();
        // When the time is up the connection is closed by its lease; the server may have gone silently.
        match tokio::time::timeout(self.deadline, self.write(batch, &known)).await {
            Ok(result) => result.map_err(Failure::into_store_error),
            Err(elapsed) => {
                Err(StoreError::Unavailable { kind: StoreFailure::Deadline, cause: elapsed.into() })
            }
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let asked = async {
            let mut connection = Lease::of(&self.pools.health).await?;
            sqlx::query("SELECT 1").execute(&mut *connection).await?;
            connection.give_back();
            Ok(())
        };
        match tokio::time::timeout(PING_LIMIT, asked).await {
            Ok(result) => result.map_err(Failure::into_store_error),
            Err(elapsed) => {
                Err(StoreError::Unavailable { kind: StoreFailure::Deadline, cause: elapsed.into() })
            }
        }
    }
}
