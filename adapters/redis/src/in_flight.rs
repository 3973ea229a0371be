//! What was delivered here and is not acknowledged yet.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use processor_domain::EntryId;

/// The entries in the hands of this process: they are not to be delivered to it again.
///
/// Kept as batches because that is how entries come and mostly how they go: noting one costs a copy of its
/// ids, and taking it off a comparison of each. A set is built only when pending entries are looked through.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    batches: Mutex<Vec<Batch>>,
}

#[derive(Debug)]
struct Batch {
    /// In ascending order.
    ids: Box<[EntryId]>,
    /// Which of them are acknowledged.
    settled: Box<[bool]>,
    open: usize,
}

impl InFlight {
    /// Notes a batch that is about to be delivered; the ids ascend.
    pub(crate) fn deliver(&self, ids: Box<[EntryId]>) {
        debug_assert!(ids.is_sorted(), "ids ascend");
        if !ids.is_empty() {
            let (settled, open) = (vec![false; ids.len()].into(), ids.len());
            self.lock().push(Batch { ids, settled, open });
        }
    }

    /// Takes off entries that are acknowledged; quickest in the order in which they were delivered.
    pub(crate) fn settle(&self, ids: impl IntoIterator<Item = EntryId>) {
        let mut batches = self.lock();
        let (mut batch, mut at) = (0, 0);
        for id in ids {
            if !batches.get(batch).is_some_and(|batch| batch.is_open_at(at, id)) {
                let found = batches.iter().enumerate().find_map(|(batch, candidate)| {
                    let at = candidate.ids.binary_search(&id).ok()?;
                    (!candidate.settled[at]).then_some((batch, at))
                });
                let Some(found) = found else { continue };
                (batch, at) = found;
            }
            batches[batch].settle(at);
            at += 1;
        }
        batches.retain(|batch| batch.open > 0);
    }

    /// All of them, to look entries up in.
    pub(crate) fn snapshot(&self) -> HashSet<EntryId> {
        self.lock().iter().flat_map(Batch::open_ids).collect()
    }

    /// All of them, as they were delivered.
    pub(crate) fn ids(&self) -> Vec<EntryId> {
        self.lock().iter().flat_map(Batch::open_ids).collect()
    }

    /// The batches are sound after every step, so a panic elsewhere does not spoil them.
    fn lock(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_open_at(&self, at: usize, id: EntryId) -> bool {
        self.ids.get(at) == Some(&id) && !self.settled[at]
    }

    fn settle(&mut self, at: usize) {
        if !std::mem::replace(&mut self.settled[at], true) {
            self.open -= 1;
        }
    }

    fn open_ids(&self) -> impl Iterator<Item = EntryId> {
        self.ids.iter().zip(&self.settled).filter(|(_, settled)| !**settled).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(millis: u64) -> EntryId {
        EntryId { millis, sequence: 0 }
    }

    proptest! {
        #[test]
        fn what_is_in_flight_is_what_was_delivered_and_not_settled(
            batches in prop::collection::vec(prop::collection::btree_set(0_u64..200, 1..40), 0..6),
            settled in prop::collection::vec(prop::collection::vec(0_u64..220, 0..60), 0..6),
        ) {
            let in_flight = InFlight::default();
            let mut model = HashSet::new();
            for batch in batches {
                // What is in flight is not delivered a second time.
                let fresh: Vec<_> = batch.into_iter().map(id).filter(|id| model.insert(*id)).collect();
                in_flight.deliver(fresh.into());
            }
            prop_assert_eq!(in_flight.snapshot(), model.clone());
            for ids in settled {
                in_flight.settle(ids.iter().copied().map(id));
                for millis in ids {
                    model.remove(&id(millis));
                }
                prop_assert_eq!(in_flight.snapshot(), model.clone());
            }
            in_flight.settle(model);
            prop_assert!(in_flight.lock().is_empty());
        }
    }

    #[test]
    fn an_entry_that_comes_back_after_it_was_settled_is_in_flight_again() {
        let in_flight = InFlight::default();
        in_flight.deliver([id(1), id(2)].into());
        in_flight.settle([id(1)]);
        in_flight.deliver([id(1)].into());
        assert_eq!(in_flight.snapshot(), HashSet::from([id(1), id(2)]));
        in_flight.settle([id(1), id(2)]);
        assert_eq!(in_flight.snapshot(), HashSet::new());
    }
}
