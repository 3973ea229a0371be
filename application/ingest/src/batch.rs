//! What travels from stage to stage.

use std::sync::Arc;
use std::time::Instant;

use processor_domain::ports::PositionStream;
use processor_domain::{DeadLetter, Delivery, Judged, Receipt, Settled};
use tracing::Span;

use crate::BatchTraces;

/// Entries as a stream delivered them.
pub(crate) struct Read {
    pub(crate) stream: Arc<dyn PositionStream>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Of the batch, on all its way; disabled if there is no tracing.
    pub(crate) span: Span,
}

impl Read {
    /// Entries just delivered, or just taken over from another consumer.
    pub(crate) fn new(
        stream: &Arc<dyn PositionStream>,
        deliveries: Vec<Delivery>,
        reclaimed: bool,
        traces: Option<&BatchTraces>,
    ) -> Self {
        let span = traces.map_or_else(Span::none, |traces| traces.batch(&**stream, &deliveries, reclaimed));
        Self { stream: Arc::clone(stream), deliveries, span }
    }
}

/// Entries judged: some to be written, some to be set aside, some already settled.
pub(crate) struct Batch {
    pub(crate) stream: Arc<dyn PositionStream>,
    pub(crate) judged: Vec<Judged>,
    /// Of each of `judged`, in the same order.
    pub(crate) entries: Vec<Entry>,
    pub(crate) set_aside: Vec<SetAside>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) read_at: Instant,
    pub(crate) span: Span,
}

/// The entry of a position.
pub(crate) struct Entry {
    pub(crate) receipt: Receipt,
    pub(crate) deliveries: u32,
}

/// An entry whose record is to be set aside.
pub(crate) struct SetAside {
    pub(crate) receipt: Receipt,
    pub(crate) letter: DeadLetter,
}

/// Entries on their last stage: all that is left is to set some aside and acknowledge all.
pub(crate) struct Written {
    pub(crate) stream: Arc<dyn PositionStream>,
    pub(crate) set_aside: Vec<SetAside>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) read_at: Instant,
    pub(crate) span: Span,
}
