//! How many may be connected.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::lock::lock;
use crate::metrics::LiveMetrics;

/// Counts sockets, in all and of each viewer.
pub(crate) struct Seats {
    most: usize,
    most_per_viewer: usize,
    metrics: Arc<LiveMetrics>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    in_all: usize,
    by_viewer: HashMap<Arc<str>, usize>,
}

/// A place for one socket, until it is dropped. Whoever is still being asked who it is has one too: else any
/// number could ask at once.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    viewer: Option<Arc<str>>,
}

impl Seats {
    pub(crate) fn new(most: usize, most_per_viewer: usize, metrics: Arc<LiveMetrics>) -> Self {
        Self { most, most_per_viewer, metrics, taken: Mutex::default() }
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        lock(&self.taken).in_all
    }

    /// A place, if there is one.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Seat> {
        let taken = &mut *lock(&self.taken);
        let free = taken.in_all < self.most;
        free.then(|| {
            taken.in_all += 1;
            Seat { seats: Arc::clone(self), viewer: None }
        })
    }
}

impl Seat {
    /// The same place, for this viewer; `None` if it has as many as one may have.
    pub(crate) fn of(mut self, viewer: &Arc<str>) -> Option<Self> {
        {
            let taken = &mut *lock(&self.seats.taken);
            if taken.by_viewer.get(viewer).copied().unwrap_or(0) >= self.seats.most_per_viewer {
                return None;
            }
            *taken.by_viewer.entry(Arc::clone(viewer)).or_default() += 1;
        }
        self.seats.metrics.connections.increment(1.0);
        self.viewer = Some(Arc::clone(viewer));
        Some(self)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let taken = &mut *lock(&self.seats.taken);
        taken.in_all -= 1;
        let Some(viewer) = self.viewer.take() else { return };
        self.seats.metrics.connections.decrement(1.0);
        if let Some(count) = taken.by_viewer.get_mut(&viewer) {
            *count -= 1;
            if *count == 0 {
                taken.by_viewer.remove(&viewer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_is_one_too_many_and_a_place_given_back_is_free() {
        let seats = Arc::new(Seats::new(3, 2, Arc::default()));
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let first = seats.take().unwrap().of(&ann).unwrap();
        let second = seats.take().unwrap().of(&ann).unwrap();
        assert!(seats.take().unwrap().of(&ann).is_none());
        let third = seats.take().unwrap().of(&bob).unwrap();
        assert!(seats.take().is_none());
        drop(first);
        let again = seats.take().unwrap();
        assert!(seats.take().is_none(), "whoever is being asked has a place");
        let again = again.of(&ann).unwrap();
        drop((second, third, again));
        assert!(lock(&seats.taken).by_viewer.is_empty());
        assert_eq!(lock(&seats.taken).in_all, 0);
    }

    #[test]
    fn a_viewer_who_may_have_none_leaves_no_trace() {
        let seats = Arc::new(Seats::new(1, 0, Arc::default()));
        assert!(seats.take().unwrap().of(&"ann".into()).is_none());
        assert!(lock(&seats.taken).by_viewer.is_empty());
        assert_eq!(lock(&seats.taken).in_all, 0);
    }
}
