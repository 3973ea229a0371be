//! What a trace is told: of each batch a span, with one for the commit and one for the acknowledgement; of a record
//! nothing.
//!
//! ```text
//!  ingest.batch ──────────────────────────────────────   from its delivery to its acknowledgement
//!    ├ ingest.judge ──────
//!    ├ ingest.commit           ─────────────             an event `retry` for each failed attempt
//!    └ ingest.acknowledge                     ────────
//! ```
//!
//! Batches that wait are committed together: the span of the later one ends then, marked `ingest.joined`, and points
//! at the span of the one that it joined, which has the commit and the acknowledgement of both.
//!
//! A batch begins a trace of its own, for it has as many causes as it has records; it points back at the spans of
//! their producers.

use std::fmt;
use std::sync::Arc;

use processor_domain::ports::{PositionStream, Verdict};
use processor_domain::{Delivery, Outcome, Settled, TraceParent};
use tracing::field::Empty;
use tracing::{Span, info_span};

/// Most producers that a batch points back at.
pub const MOST_LINKS: usize = 32;

/// Points from a span at spans of others: given by whoever knows where spans go.
pub type LinkSpan = Arc<dyn Fn(&Span, &[TraceParent]) + Send + Sync>;

/// How to trace batches, in the words of the semantic conventions of OpenTelemetry.
#[derive(Clone)]
pub struct BatchTraces {
    /// `messaging.system`: what kind the streams are.
    pub stream_system: &'static str,
    /// `messaging.consumer.group.name`.
    pub consumer_group: Box<str>,
    /// `db.system.name`: what kind the store is.
    pub store_system: &'static str,
    /// Points at producers.
    pub link: LinkSpan,
}

impl BatchTraces {
    /// The span of a batch that was just delivered.
    pub(crate) fn batch(
        &self,
        stream: &dyn PositionStream,
        deliveries: &[Delivery],
        reclaimed: bool,
    ) -> Span {
        let span = info_span!(
            parent: None,
            "ingest.batch",
            otel.kind = "consumer",
            messaging.system = self.stream_system,
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.destination.name = stream.name(),
            messaging.consumer.group.name = &*self.consumer_group,
            messaging.batch.message_count = deliveries.len(),
            ingest.reclaimed = reclaimed,
            ingest.joined = Empty,
            ingest.stored = Empty,
            ingest.duplicate = Empty,
            ingest.merged = Empty,
            ingest.dead_lettered = Empty,
            ingest.lost_pending = Empty,
            otel.status_code = Empty,
        );
        if !span.is_disabled() {
            let producers = producers(deliveries);
            if !producers.is_empty() {
                (self.link)(&span, &producers);
            }
        }
        span
    }

    /// The span of a commit, all attempts at it together.
    pub(crate) fn commit(&self, batch: &Span, positions: usize) -> Span {
        info_span!(
            parent: batch,
            "ingest.commit",
            otel.kind = "client",
            db.system.name = self.store_system,
            db.collection.name = "positions",
            db.operation.name = Empty,
            // Of a batch of one it is not to be said.
            db.operation.batch.size = (positions > 1).then_some(positions),
            ingest.attempts = Empty,
            ingest.stored = Empty,
            ingest.duplicate = Empty,
            ingest.merged = Empty,
            ingest.refused = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        )
    }

    /// The span of an acknowledgement, all attempts at it together.
    pub(crate) fn acknowledge(&self, batch: &Span, stream: &dyn PositionStream, entries: usize) -> Span {
        info_span!(
            parent: batch,
            "ingest.acknowledge",
            otel.kind = "client",
            messaging.system = self.stream_system,
            messaging.operation.name = "ack",
            messaging.operation.type = "settle",
            messaging.destination.name = stream.name(),
            messaging.consumer.group.name = &*self.consumer_group,
            messaging.batch.message_count = entries,
            otel.status_code = Empty,
        )
    }
}

impl fmt::Debug for BatchTraces {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream_system, consumer_group, store_system, .. } = self;
        out.debug_struct("BatchTraces")
            .field("stream_system", stream_system)
            .field("consumer_group", consumer_group)
            .field("store_system", store_system)
            .finish_non_exhaustive()
    }
}

/// Tells the span of a batch that it is committed as a part of an earlier one.
pub(crate) fn joined(later: &Span, earlier: &Span) {
    later.record("ingest.joined", true);
    later.follows_from(earlier);
}

/// Tells a span that what it stands for was not done.
pub(crate) fn failed(span: &Span) {
    span.record("otel.status_code", "error");
}

/// Tells the span of a commit what became of its positions.
pub(crate) fn committed(span: &Span, verdicts: &[Verdict]) {
    if span.is_disabled() {
        return;
    }
    let count = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| wanted(verdict)).count();
    span.record("ingest.stored", count(|verdict| matches!(verdict, Verdict::Stored)));
    span.record("ingest.duplicate", count(|verdict| matches!(verdict, Verdict::Duplicate)));
    span.record("ingest.merged", count(|verdict| matches!(verdict, Verdict::Merged)));
    span.record("ingest.refused", count(|verdict| matches!(verdict, Verdict::Refused(_))));
}

/// Tells the span of a batch what became of its records.
pub(crate) fn settled(span: &Span, settled: &[Settled]) {
    if span.is_disabled() {
        return;
    }
    let count = |wanted: Outcome| settled.iter().filter(|settled| *settled.outcome() == wanted).count();
    span.record("ingest.stored", count(Outcome::Stored));
    span.record("ingest.duplicate", count(Outcome::Duplicate));
    span.record("ingest.merged", count(Outcome::Merged));
    span.record("ingest.dead_lettered", count(Outcome::DeadLettered));
    span.record("ingest.lost_pending", count(Outcome::LostPending));
}

/// The spans of the producers, each once, at most [`MOST_LINKS`] of them. Those that may have been recorded come
/// first, for the others may lead nowhere.
fn producers(deliveries: &[Delivery]) -> Vec<TraceParent> {
    let mut producers = Vec::new();
    for sampled in [true, false] {
        let parents = deliveries.iter().filter_map(|delivery| delivery.trace_parent);
        for parent in parents.filter(|parent| parent.sampled == sampled) {
            if producers.len() == MOST_LINKS {
                return producers;
            }
            if !producers.contains(&parent) {
                producers.push(parent);
            }
        }
    }
    producers
}

#[cfg(test)]
mod tests {
    use processor_domain::{EntryId, Receipt, Record};

    use super::*;

    fn delivery(trace_parent: Option<TraceParent>) -> Delivery {
        let receipt = Receipt::of(EntryId::default());
        Delivery { receipt, record: Record::Lost, deliveries: 1, trace_parent }
    }

    fn parent(number: u8, sampled: bool) -> TraceParent {
        TraceParent { trace_id: [number; 16], span_id: [number; 8], sampled }
    }

    #[test]
    fn each_producer_is_pointed_at_once_and_those_that_were_recorded_come_first() {
        let sent = [None, Some(parent(1, false)), Some(parent(2, true)), Some(parent(2, true)), None];
        assert_eq!(producers(&sent.map(delivery)), [parent(2, true), parent(1, false)]);
        assert_eq!(producers(&[delivery(None)]), []);
    }

    #[test]
    fn there_are_never_more_producers_than_a_span_has_room_for() {
        let unsampled = (1..=40).map(|number| delivery(Some(parent(number, false))));
        let sampled = (41..=50).map(|number| delivery(Some(parent(number, true))));
        let found = producers(&unsampled.chain(sampled).collect::<Vec<_>>());
        assert_eq!(found.len(), MOST_LINKS);
        assert_eq!(found.iter().filter(|parent| parent.sampled).count(), 10);
    }
}
