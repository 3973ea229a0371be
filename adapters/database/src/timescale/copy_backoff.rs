use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Most batches that are not copied after a copy that failed.
const LONGEST: u32 = 64;

/// Whether it is worth trying COPY.
///
/// A copy that meets a row that is there already fails as a whole and its work is lost. Where that happens
/// again and again, as after a stream was rewound, trying it each time would cost more than it gains: after
/// each failure twice as many batches go the other way at once.
///
/// Shared by all writers. What they count may be off by a batch or two, which only costs time.
#[derive(Debug, Default)]
pub(crate) struct CopyBackoff {
    /// Batches still to go the other way.
    skip: AtomicU32,
    /// Length of the last wait, 0 after a copy that succeeded.
    wait: AtomicU32,
}

impl CopyBackoff {
    /// Whether the next batch may be copied.
    pub(crate) fn may_copy(&self) -> bool {
        self.skip.fetch_update(Relaxed, Relaxed, |skip| skip.checked_sub(1)).is_err()
    }

    pub(crate) fn failed(&self) {
        let wait = (self.wait.load(Relaxed) * 2).clamp(1, LONGEST);
        self.wait.store(wait, Relaxed);
        self.skip.store(wait, Relaxed);
    }

    pub(crate) fn succeeded(&self) {
        self.wait.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_end_with_a_success() {
        let backoff = CopyBackoff::default();
        let skipped = || std::iter::repeat_with(|| backoff.may_copy()).take_while(|may| !may).count();
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(backoff.may_copy());
            backoff.failed();
            waits.push(skipped());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
        backoff.succeeded();
        backoff.failed();
        assert_eq!(skipped(), 1);
    }
}
