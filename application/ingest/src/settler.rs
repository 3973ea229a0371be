//! Sets records aside, counts what became of each, and acknowledges.

use std::sync::Arc;

use processor_domain::ports::{DeadLetters, PositionStream};
use processor_domain::{DeadLetter, Outcome, Receipt, Settled};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::batch::{SetAside, Written};
use crate::ingest::Shared;
use crate::trace;
use processor_tasks::{Outage, Pulse};
use tracing::{Instrument, Span};

pub(crate) struct Settler {
    pub(crate) dead_letters: Arc<dyn DeadLetters>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) shared: Arc<Shared>,
}

impl Settler {
    /// Settles until the writers are gone.
    pub(crate) async fn run(self, mut written: Receiver<Written>, stop: CancellationToken) {
        let mut outage = Outage::of("the stream, for acknowledgements,", self.shared.settings.retry_at_most);
        while let Some(written) = written.recv().await {
            self.pulse.busy();
            let span = written.span.clone();
            self.settle(written, &mut outage, &stop).instrument(span).await;
            self.pulse.idle();
        }
    }

    async fn settle(&self, written: Written, outage: &mut Outage, stop: &CancellationToken) {
        let Written { stream, set_aside, mut settled, read_at, span } = written;
        if !set_aside.is_empty() {
            settled.extend(self.set_aside(set_aside, stop).await);
        }
        self.count(&settled);
        trace::settled(&span, &settled);
        let traces = self.shared.settings.traces.as_ref();
        let acknowledge =
            traces.map_or_else(Span::none, |traces| traces.acknowledge(&span, &*stream, settled.len()));
        let acknowledged =
            self.acknowledge(&*stream, &settled, outage, stop).instrument(acknowledge.clone()).await;
        if acknowledged {
            self.shared.metrics.acks.increment(settled.len() as u64);
        } else {
            trace::failed(&acknowledge);
            // They come back and are found to be duplicates.
            tracing::warn!(entries = settled.len(), "stopping with entries stored and not acknowledged");
        }
        tracing::debug!(
            stream = stream.name(),
            entries = settled.len(),
            duration_ms = read_at.elapsed().as_secs_f64() * 1e3,
            "settled a batch"
        );
    }

    /// `false` if it was told to stop while the stream was away.
    async fn acknowledge(
        &self,
        stream: &dyn PositionStream,
        settled: &[Settled],
        outage: &mut Outage,
        stop: &CancellationToken,
    ) -> bool {
        while let Err(error) = stream.acknowledge(settled).await {
            if !outage.wait(&error, stop).await {
                return false;
            }
            self.pulse.busy();
        }
        outage.over();
        true
    }

    fn count(&self, settled: &[Settled]) {
        for outcome in Outcome::ALL {
            let count = settled.iter().filter(|settled| *settled.outcome() == outcome).count();
            if count > 0 {
                self.shared.metrics.settled(&outcome, count as u64);
            }
        }
    }

    /// Nothing if it was told to stop while there was no place for them: the entries stay pending.
    async fn set_aside(&self, set_aside: Vec<SetAside>, stop: &CancellationToken) -> Vec<Settled> {
        let (receipts, letters): (Vec<Receipt>, Vec<DeadLetter>) =
            set_aside.into_iter().map(|SetAside { receipt, letter }| (receipt, letter)).unzip();
        let mut outage = Outage::of("the place for dead letters", self.shared.settings.retry_at_most);
        while let Err(error) = self.dead_letters.keep(&letters).await {
            if !outage.wait(&error, stop).await {
                return Vec::new();
            }
            self.pulse.busy();
        }
        outage.over();
        for letter in &letters {
            tracing::warn!(
                stream = &*letter.stream,
                entry_id = %letter.entry_id,
                reason = letter.reason.name(),
                detail = &*letter.detail,
                "set a record aside"
            );
        }
        receipts.into_iter().map(|receipt| receipt.settle(Outcome::DeadLettered)).collect()
    }
}
