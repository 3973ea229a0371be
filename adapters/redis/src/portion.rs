//! How many entries to ask for, so that an answer is about as large as a batch may be.

/// What an entry is thought to take of a reply before one was seen, in bytes.
const USUAL_ENTRY: usize = 400;

/// What to ask for at a time, by what the entries seen so far have taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion {
    /// Most entries.
    entries: usize,
    /// Most bytes, as far as it can be foreseen.
    bytes: usize,
    /// What an entry takes of a reply, in bytes: quick to grow, slow to shrink.
    entry_bytes: usize,
}

impl Portion {
    /// At most so many entries, and about so many bytes.
    pub(crate) const fn new(entries: usize, bytes: usize) -> Self {
        Self { entries, bytes, entry_bytes: USUAL_ENTRY }
    }

    /// How many entries to ask for; one at least.
    pub(crate) fn count(&self) -> usize {
        (self.bytes / self.entry_bytes).clamp(1, self.entries)
    }

    /// Takes in that so many entries took so many bytes.
    pub(crate) fn weigh(&mut self, entries: usize, bytes: usize) {
        if let Some(mean) = bytes.checked_div(entries) {
            self.entry_bytes = mean.max((3 * self.entry_bytes + mean) / 4).max(1);
        }
    }

    /// Asks for half as much from now on; `false` if it is a single entry already.
    pub(crate) fn halve(&mut self) -> bool {
        let count = self.count();
        if count > 1 {
            self.entry_bytes = self.bytes.div_ceil(count / 2);
        }
        count > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_never_nothing_and_never_more_than_was_allowed(
            entries in 1_usize..5000,
            bytes in 1_usize..10_000_000,
            seen in prop::collection::vec((0_usize..5000, 0_usize..10_000_000), 0..10),
        ) {
            let mut portion = Portion::new(entries, bytes);
            for (entries_seen, bytes_seen) in seen {
                portion.weigh(entries_seen, bytes_seen);
                prop_assert!((1..=entries).contains(&portion.count()));
            }
        }

        #[test]
        fn is_halved_down_to_a_single_entry(entries in 1_usize..5000, bytes in 5000_usize..10_000_000) {
            let mut portion = Portion::new(entries, bytes);
            let mut before = portion.count();
            while portion.halve() {
                prop_assert!(portion.count() <= before.div_ceil(2), "{} after {before}", portion.count());
                before = portion.count();
            }
            prop_assert_eq!(before, 1);
        }
    }

    #[test]
    fn large_entries_are_asked_for_in_small_portions_at_once_and_small_ones_by_and_by() {
        let mut portion = Portion::new(2000, 4_000_000);
        assert_eq!(portion.count(), 2000);
        portion.weigh(10, 400_000);
        assert_eq!(portion.count(), 100);
        portion.weigh(10, 4_000);
        assert!((101..150).contains(&portion.count()), "{portion:?}");
    }
}
