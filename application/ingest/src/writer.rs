//! Commits batches to the store, again and again until it has them.

use std::sync::Arc;
use std::time::Instant;

use processor_domain::ports::{PositionStore, StoreError, Verdict};
use processor_domain::{DeadLetter, DeadLetterReason, DeadPayload, Judged, Outcome};
use tokio::sync::Mutex;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Entry, SetAside, Waiting, Written};
use crate::ingest::Shared;
use crate::trace;
use processor_tasks::{Outage, Pulse};
use tracing::{Instrument, Span};

pub(crate) struct Writer {
    pub(crate) store: Arc<dyn PositionStore>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) pulse: Arc<Pulse>,
}

impl Writer {
    /// Writes until the judge is gone. The commit under way is never dropped.
    pub(crate) async fn run(
        self,
        waiting: Arc<Mutex<Waiting>>,
        written: Sender<Written>,
        stop: CancellationToken,
    ) {
        let mut outage = Outage::of("the store", self.shared.settings.retry_at_most);
        loop {
            let next = waiting.lock().await.next(self.shared.settings.write_at_most.get()).await;
            let Some(batch) = next else { return };
            if let Some(done) = self.write(batch, &mut outage, &stop).await
                && written.send(done).await.is_err()
            {
                return;
            }
        }
    }

    /// `None` if it was told to stop while the store was away: the entries stay pending.
    async fn write(&self, batch: Batch, outage: &mut Outage, stop: &CancellationToken) -> Option<Written> {
        let Batch { stream, judged, entries, mut set_aside, mut settled, read_at, span } = batch;
        if !judged.is_empty() {
            let traces = self.shared.settings.traces.as_ref();
            let commit = traces.map_or_else(Span::none, |traces| traces.commit(&span, judged.len()));
            let verdicts = self.commit(&judged, outage, stop).instrument(commit).await;
            if verdicts.is_none() {
                trace::failed(&span);
            }
            let verdicts = verdicts?;
            settled.reserve(verdicts.len());
            for ((verdict, entry), judged) in verdicts.into_iter().zip(entries).zip(judged) {
                match verdict {
                    Verdict::Stored => settled.push(entry.receipt.settle(Outcome::Stored)),
                    Verdict::Duplicate => settled.push(entry.receipt.settle(Outcome::Duplicate)),
                    Verdict::Merged => settled.push(entry.receipt.settle(Outcome::Merged)),
                    Verdict::Refused(detail) => set_aside.push(refused(stream.name(), entry, judged, detail)),
                }
            }
        }
        Some(Written { stream, set_aside, settled, read_at, span })
    }

    async fn commit(
        &self,
        judged: &[Judged],
        outage: &mut Outage,
        stop: &CancellationToken,
    ) -> Option<Vec<Verdict>> {
        let metrics = &self.shared.metrics;
        metrics.write_batch_size.record(judged.len() as f64);
        let span = Span::current();
        let mut attempt = 0_u64;
        loop {
            attempt += 1;
            self.pulse.busy();
            let began = Instant::now();
            let result = self.store.commit(judged).await;
            self.pulse.idle();
            match result {
                Ok(verdicts) => {
                    metrics.write_duration.record(began.elapsed());
                    self.shared.health.store(true);
                    outage.over();
                    span.record("ingest.attempts", attempt);
                    trace::committed(&span, &verdicts);
                    return Some(verdicts);
                }
                Err(error) => {
                    let StoreError::Unavailable { kind, .. } = &error;
                    metrics.write_failures[*kind as usize].increment(1);
                    self.shared.health.store(false);
                    if !outage.wait(&error, stop).await {
                        span.record("ingest.attempts", attempt).record("error.type", kind.name());
                        trace::failed(&span);
                        return None;
                    }
                    metrics.write_retries.increment(1);
                }
            }
        }
    }
}

fn refused(stream: &str, entry: Entry, judged: Judged, detail: Box<str>) -> SetAside {
    let letter = DeadLetter {
        stream: stream.into(),
        entry_id: entry.receipt.entry_id(),
        reason: DeadLetterReason::RefusedByStore,
        detail,
        payload: DeadPayload::Position(Box::new(judged.position)),
        deliveries: entry.deliveries,
    };
    SetAside { receipt: entry.receipt, letter }
}
