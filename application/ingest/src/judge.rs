//! Judges positions in the order of their stream, by what is known of their devices.

use std::sync::Arc;
use std::time::Instant;

use processor_domain::ports::{DeviceMemory, PositionStore};
use processor_domain::rules::RuleSet;
use processor_domain::{
    DeadLetter, DeadLetterReason, DeadPayload, Delivery, DeviceId, DeviceState, DeviceStates, Outcome,
    Position, Record,
};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Entry, Read, SetAside};
use crate::ingest::Shared;
use crate::marks::News;
use crate::trace;
use processor_tasks::{Outage, Pulse, chain};
use tracing::{Instrument, info_span};

pub(crate) struct Judge {
    pub(crate) states: DeviceStates,
    pub(crate) rules: RuleSet,
    pub(crate) memory: Arc<dyn DeviceMemory>,
    pub(crate) news: Arc<News>,
    pub(crate) store: Arc<dyn PositionStore>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) shared: Arc<Shared>,
}

impl Judge {
    /// Judges until the readers are gone.
    pub(crate) async fn run(
        mut self,
        mut reads: Receiver<Read>,
        batches: Sender<Batch>,
        stop: CancellationToken,
    ) {
        // Nothing is judged before it is known what operators say of it.
        if stop.run_until_cancelled(self.news.begun()).await.is_none() {
            return;
        }
        self.hear_news();
        self.recall_recent().await;
        while let Some(read) = reads.recv().await {
            self.pulse.busy();
            self.hear_news();
            let span = info_span!(parent: &read.span, "ingest.judge");
            let batch = self.judge(read, &stop).instrument(span).await;
            // It may have to wait for room.
            self.pulse.idle();
            if let Some(batch) = batch
                && batches.send(batch).await.is_err()
            {
                return;
            }
        }
    }

    async fn recall_recent(&mut self) {
        let limit = self.shared.settings.recall_at_start.min(self.states.capacity());
        match self.memory.recall_recent(limit).await {
            Ok(known) => self.remember(known),
            Err(error) => {
                // Not needed to begin: each device is recalled when it is heard of.
                tracing::warn!(error = chain(&error), "device states are not recalled at the start");
            }
        }
    }

    /// Judges by what operators say now, and recalls the devices of which they said something new: a fix that was
    /// the last good one may not be good any more.
    fn hear_news(&mut self) {
        if let Some((rulings, devices)) = self.news.take() {
            self.rules.adopt(rulings);
            for device in &devices {
                self.states.forget(device);
            }
        }
    }

    fn remember(&mut self, known: Vec<(DeviceId, DeviceState)>) {
        for (device_id, state) in known {
            self.states.remember(device_id, state);
        }
    }

    /// `None` if it was told to stop while the store was away: the entries stay pending.
    async fn judge(&mut self, read: Read, stop: &CancellationToken) -> Option<Batch> {
        let read_at = Instant::now();
        let metrics = &self.shared.metrics;
        metrics.read.increment(read.deliveries.len() as u64);
        let (stream, span) = (read.stream, read.span);
        let excessive = self.delivered_too_often(&read.deliveries).await;

        let mut judged = Vec::with_capacity(read.deliveries.len());
        let mut entries = Vec::with_capacity(read.deliveries.len());
        // From the first one on whose device is not in memory.
        let mut rest: Vec<(Position, Entry)> = Vec::new();
        let (mut set_aside, mut settled) = (Vec::new(), Vec::new());
        for Delivery { receipt, record, deliveries, .. } in read.deliveries {
            let (reason, detail, payload) = match record {
                Record::Position(position) if excessive && self.is_excessive(deliveries) => (
                    DeadLetterReason::TooManyDeliveries,
                    format!("delivered {deliveries} times without being settled").into(),
                    DeadPayload::Position(Box::new(position)),
                ),
                Record::Position(position) => {
                    let entry = Entry { receipt, deliveries };
                    let known = if rest.is_empty() {
                        self.states.judge_known(&self.rules, position)
                    } else {
                        Err(position)
                    };
                    match known {
                        Ok(done) => {
                            judged.push(done);
                            entries.push(entry);
                        }
                        Err(position) => rest.push((position, entry)),
                    }
                    continue;
                }
                Record::Lost => {
                    settled.push(receipt.settle(Outcome::LostPending));
                    continue;
                }
                Record::Undecodable { reason, detail, payload } => {
                    metrics.decode_errors.increment(1);
                    (reason, detail, DeadPayload::Raw(payload))
                }
            };
            let (stream, entry_id) = (stream.name().into(), receipt.entry_id());
            let letter = DeadLetter { stream, entry_id, reason, detail, payload, deliveries };
            set_aside.push(SetAside { receipt, letter });
        }

        while !rest.is_empty() {
            // No more than there is room for at a time, lest the states of some take the place of others before
            // those are judged. Usually that is all of them.
            let later = rest.split_off(rest.len().min(self.states.capacity()));
            if !self.recall(&rest, stop).await {
                trace::failed(&span);
                return None;
            }
            for (position, entry) in rest {
                judged.push(self.states.judge(&self.rules, position));
                entries.push(entry);
            }
            rest = later;
        }
        self.shared.metrics.marked(&judged);
        self.shared.metrics.device_states.set(self.states.len() as f64);
        self.shared.metrics.device_state_evictions.absolute(self.states.evictions());
        Some(Batch { stream, judged, entries, set_aside, settled, read_at, span })
    }

    fn is_excessive(&self, deliveries: u32) -> bool {
        let limit = self.shared.settings.max_deliveries;
        limit > 0 && deliveries > limit
    }

    /// Whether entries delivered too often are to be set aside: only while the store is known to be there, for
    /// else it is the store that kept them from being settled.
    async fn delivered_too_often(&self, deliveries: &[Delivery]) -> bool {
        deliveries.iter().any(|delivery| self.is_excessive(delivery.deliveries))
            && self.store.ping().await.is_ok()
    }

    /// Recalls the devices that are not in memory, all in one query; those that are will not be forgotten for
    /// them. `false` if it was told to stop instead.
    async fn recall(&mut self, positions: &[(Position, Entry)], stop: &CancellationToken) -> bool {
        let ids = positions.iter().map(|(position, _)| position.device_id);
        let mut unknown: Vec<DeviceId> = ids.filter(|id| !self.states.hear_of(id)).collect();
        if unknown.is_empty() {
            return true;
        }
        unknown.sort_unstable();
        unknown.dedup();
        let mut outage = Outage::of("the store, for device states,", self.shared.settings.retry_at_most);
        loop {
            self.pulse.busy();
            match self.memory.recall(&unknown).await {
                Ok(known) => {
                    outage.over();
                    self.remember(known);
                    return true;
                }
                Err(error) => {
                    self.shared.health.store(false);
                    if !outage.wait(&error, stop).await {
                        return false;
                    }
                }
            }
        }
    }
}
