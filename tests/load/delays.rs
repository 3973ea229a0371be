//! Delays, as viewers see them and as the program counts them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use processor_tests::Exposition;

/// Longer ones count as this.
const LONGEST_MILLIS: usize = 60_000;

/// How often there was which delay, to the millisecond.
#[derive(Debug)]
pub(crate) struct Delays(Vec<AtomicU64>);

impl Default for Delays {
    fn default() -> Self {
        Self((0..=LONGEST_MILLIS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Delays {
    pub(crate) fn note(&self, delay: Duration) {
        let millis = usize::try_from(delay.as_millis()).unwrap_or(LONGEST_MILLIS).min(LONGEST_MILLIS);
        self.0[millis].fetch_add(1, Ordering::Relaxed);
    }

    /// All so far.
    pub(crate) fn counts(&self) -> Counts {
        let counts = self.0.iter().enumerate().map(|(millis, count)| {
            // Up to the next millisecond.
            ((millis + 1) as f64 / 1e3, count.load(Ordering::Relaxed) as f64)
        });
        Counts(counts.collect())
    }
}

/// How many delays were not longer than which bound in seconds, and longer than the bound before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Vec<(f64, f64)>);

impl Counts {
    /// What the program says in `processor_live_delay_seconds`: from the stream's taking the oldest position of a frame
    /// to the frame's having been written.
    pub(crate) fn of(metrics: &Exposition) -> Self {
        let mut before = 0.0;
        let buckets = metrics.buckets("processor_live_delay_seconds").into_iter();
        Self(buckets.map(|(bound, up_to)| (bound, up_to - std::mem::replace(&mut before, up_to))).collect())
    }

    /// Those that came since.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let earlier = earlier.0.iter().map(|(_, count)| *count).chain(std::iter::repeat(0.0));
        Self(self.0.iter().zip(earlier).map(|((bound, count), before)| (*bound, count - before)).collect())
    }

    /// The delay in seconds that this part of them does not exceed, as if they were spread evenly between two bounds.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let wanted = self.count() * part;
        let (mut counted, mut low) = (0.0, 0.0);
        for (bound, count) in &self.0 {
            if *count > 0.0 && counted + count >= wanted {
                return if bound.is_finite() {
                    low + (bound - low) * (wanted - counted) / count
                } else {
                    *bound
                };
            }
            counted += count;
            low = *bound;
        }
        f64::NAN
    }

    pub(crate) fn count(&self) -> f64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}
