//! What travels from stage to stage.

use std::sync::Arc;
use std::time::Instant;

use processor_domain::ports::PositionStream;
use processor_domain::{DeadLetter, Delivery, Judged, Receipt, Settled};
use tokio::sync::mpsc::Receiver;
use tracing::Span;

use crate::{BatchTraces, trace};

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
    /// When the first of them was read.
    pub(crate) read_at: Instant,
    pub(crate) span: Span,
}

impl Batch {
    /// Takes in what was read later from the same stream.
    fn append(&mut self, mut later: Self) {
        self.judged.append(&mut later.judged);
        self.entries.append(&mut later.entries);
        self.set_aside.append(&mut later.set_aside);
        self.settled.append(&mut later.settled);
        trace::joined(&later.span, &self.span);
    }
}

/// The batches that wait to be written.
pub(crate) struct Waiting {
    queue: Receiver<Batch>,
    /// Of another stream than the one before it, or too large to go with it.
    held: Option<Batch>,
}

impl Waiting {
    pub(crate) const fn new(queue: Receiver<Batch>) -> Self {
        Self { queue, held: None }
    }

    /// The next one, together with those behind it that wait already: a store writes one large batch with less
    /// effort than several small ones. No more than `at_most` positions unless one batch alone has more. `None`
    /// when the last one is out.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken out before the last thing that it waits for.
    pub(crate) async fn next(&mut self, at_most: usize) -> Option<Batch> {
        let mut batch = match self.held.take() {
            Some(held) => held,
            None => self.queue.recv().await?,
        };
        while let Ok(later) = self.queue.try_recv() {
            let together = batch.judged.len() + later.judged.len();
            if together > at_most || !Arc::ptr_eq(&batch.stream, &later.stream) {
                self.held = Some(later);
                break;
            }
            batch.append(later);
        }
        Some(batch)
    }
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

#[cfg(test)]
mod tests {
    use processor_domain::ports::MockPositionStream;
    use processor_domain::{Faults, Novelty, samples};
    use proptest::prelude::*;
    use tokio::sync::mpsc;

    use super::*;

    fn batch(stream: &Arc<dyn PositionStream>, devices: std::ops::Range<u64>) -> Batch {
        let judged = devices.map(|device| Judged {
            position: samples::position().device(device).build(),
            faults: Faults::NONE,
            novelty: Novelty::Fresh,
        });
        Batch {
            stream: Arc::clone(stream),
            judged: judged.collect(),
            entries: Vec::new(),
            set_aside: Vec::new(),
            settled: Vec::new(),
            read_at: Instant::now(),
            span: Span::none(),
        }
    }

    proptest! {
        #[test]
        fn what_waits_goes_together_in_its_order_and_no_more_than_may(
            sizes in prop::collection::vec((0_usize..2, 0_u64..8), 1..12),
            at_most in 1_usize..12,
        ) {
            let streams: Vec<Arc<dyn PositionStream>> =
                (0..2).map(|_| Arc::new(MockPositionStream::new()) as Arc<dyn PositionStream>).collect();
            let (sender, queue) = mpsc::channel(sizes.len());
            let mut devices = 0;
            for (stream, size) in &sizes {
                sender.try_send(batch(&streams[*stream], devices..devices + size)).ok().unwrap();
                devices += size;
            }
            drop(sender);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let mut waiting = Waiting::new(queue);
            let taken: Vec<Batch> =
                std::iter::from_fn(|| runtime.block_on(waiting.next(at_most))).collect();

            let ids: Vec<_> = taken.iter().flat_map(|batch| &batch.judged).map(|one| one.position.device_id).collect();
            let expected: Vec<_> = (0..devices).map(|device| samples::position().device(device).build().device_id).collect();
            prop_assert_eq!(ids, expected);
            let largest = sizes.iter().map(|(_, size)| usize::try_from(*size).unwrap()).max().unwrap();
            for batch in &taken {
                prop_assert!(batch.judged.len() <= at_most.max(largest));
            }
            for pair in taken.windows(2) {
                let together = pair[0].judged.len() + pair[1].judged.len();
                let same_stream = Arc::ptr_eq(&pair[0].stream, &pair[1].stream);
                prop_assert!(!same_stream || together > at_most);
            }
        }
    }
}
