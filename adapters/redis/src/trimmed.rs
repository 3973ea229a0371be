//! Counts what was trimmed from the stream before the group had read it.
//!
//! Trimming takes no heed of groups, and a group that reads on past a gap gets no error. The gap can be worked
//! out only while the group stands before it: of all entries ever added, those that are gone are the first
//! ones, and the group has read as many as it says; what is gone beyond that was never read.
//!
//! The gap is the group's: every instance that reads in it counts it.

use std::sync::{Mutex, PoisonError};

use processor_domain::EntryId;

use crate::info::{GroupInfo, StreamInfo};

/// The entries of a stream that the group will never see.
#[derive(Debug, Default)]
pub(crate) struct TrimmedUnread {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: u64,
    /// The gap that the group stands before.
    gap: Option<Gap>,
    /// What the server's count of entries read lacks. Servers before 7.2.6 do not count a gap that the group
    /// has read past; what they lack shows whenever the group is at the end of the stream.
    uncounted: i128,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    /// Where the group stands.
    after: EntryId,
    size: u64,
}

impl TrimmedUnread {
    /// Entries trimmed unread since this process started.
    pub(crate) fn total(&self) -> u64 {
        self.lock().total
    }

    /// Takes in what the server says now. A gap is logged when it is found; it may grow while the group stands
    /// before it.
    pub(crate) fn observe(&self, name: &str, stream: &StreamInfo, group: &GroupInfo) {
        let mut state = self.lock();
        let known = state.gap.is_some_and(|gap| gap.after == group.last_delivered);
        let new = state.observe(stream, group);
        let total = state.total;
        drop(state);
        if new > 0 && !known {
            tracing::error!(
                stream = name,
                entries = new,
                total,
                "entries were trimmed from the stream before they were read, and are lost"
            );
        }
    }

    /// Forgets where the group stood: it was created anew.
    pub(crate) fn group_is_new(&self) {
        let mut state = self.lock();
        state.gap = None;
        state.uncounted = 0;
    }

    /// A state is whole after every step, so a panic elsewhere does not spoil it.
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many entries were found to be lost that were not known to be.
    fn observe(&mut self, stream: &StreamInfo, group: &GroupInfo) -> u64 {
        let (Some(added), Some(removed)) = (stream.added, stream.removed()) else { return 0 };
        let read = match group.read {
            Some(read) => i128::from(read),
            // Nothing was read: the group stands before the first entry.
            None if group.last_delivered == EntryId::default() => 0,
            // Created in the middle: how many entries came before is not known, until it has read some.
            None => return 0,
        };
        if group.last_delivered >= stream.last_generated {
            self.uncounted = i128::from(added) - read;
            return 0;
        }
        let before_a_gap = stream.first.is_none_or(|first| first > group.last_delivered);
        if !before_a_gap {
            return 0;
        }
        let size = u64::try_from(i128::from(removed) - read - self.uncounted).unwrap_or(0);
        let known = match self.gap {
            Some(gap) if gap.after == group.last_delivered => gap.size,
            // Two connections look, and an older look may come in after a newer one.
            Some(gap) if gap.after > group.last_delivered => return 0,
            _ => 0,
        };
        if size <= known {
            return 0;
        }
        self.gap = Some(Gap { after: group.last_delivered, size });
        self.total += size - known;
        size - known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::Lag;
    use proptest::prelude::*;

    /// A stream of entries 1-0, 2-0 … and a group on it, as a server keeps them.
    #[derive(Debug, Default)]
    struct Model {
        added: u64,
        removed: u64,
        last_read: u64,
        read: u64,
        /// As servers before 7.2.6 do.
        counts_no_gaps: bool,
        lost: u64,
    }

    impl Model {
        fn trim(&mut self, count: u64) {
            let before = self.removed.max(self.last_read);
            self.removed = self.added.min(self.removed + count);
            self.lost += self.removed.saturating_sub(before);
        }

        fn read(&mut self, count: u64) {
            for _ in 0..count {
                let next = self.last_read.max(self.removed) + 1;
                if next > self.added {
                    return;
                }
                self.read = if self.counts_no_gaps { self.read + 1 } else { next };
                self.last_read = next;
            }
        }

        fn observed_by(&self, trimmed: &TrimmedUnread) {
            let id = |millis| EntryId { millis, sequence: 0 };
            let stream = StreamInfo {
                length: self.added - self.removed,
                added: Some(self.added),
                last_generated: id(self.added),
                first: (self.removed < self.added).then(|| id(self.removed + 1)),
            };
            let group =
                GroupInfo { last_delivered: id(self.last_read), read: Some(self.read), lag: Lag::Unknown };
            trimmed.observe("s", &stream, &group);
        }
    }

    proptest! {
        #[test]
        fn the_count_is_exact_if_one_looks_before_every_read(
            steps in prop::collection::vec((0_u64..20, 0_u64..30, 0_u64..20), 0..30)
        ) {
            let (mut model, trimmed) = (Model::default(), TrimmedUnread::default());
            for (added, trim, read) in steps {
                model.added += added;
                model.observed_by(&trimmed);
                model.trim(trim);
                model.observed_by(&trimmed);
                prop_assert_eq!(trimmed.total(), model.lost);
                model.read(read);
            }
        }

        #[test]
        fn a_server_that_does_not_count_gaps_is_seen_through_at_the_end_of_the_stream(
            steps in prop::collection::vec((1_u64..20, 0_u64..30), 0..30)
        ) {
            let (mut model, trimmed) =
                (Model { counts_no_gaps: true, ..Model::default() }, TrimmedUnread::default());
            for (added, trim) in steps {
                model.added += added;
                model.trim(trim);
                model.observed_by(&trimmed);
                prop_assert_eq!(trimmed.total(), model.lost);
                model.added += 1;
                model.read(50);
                model.observed_by(&trimmed);
            }
        }
    }

    #[test]
    fn a_group_created_in_the_middle_is_not_counted_before_the_server_knows_where_it_is() {
        let id = |millis| EntryId { millis, sequence: 0 };
        let trimmed = TrimmedUnread::default();
        let stream =
            StreamInfo { length: 10, added: Some(100), last_generated: id(100), first: Some(id(91)) };
        let group = |last, read| GroupInfo { last_delivered: id(last), read, lag: Lag::Unknown };
        trimmed.observe("s", &stream, &group(50, None));
        assert_eq!(trimmed.total(), 0);
        trimmed.observe("s", &stream, &group(60, Some(60)));
        assert_eq!(trimmed.total(), 30);
        trimmed.observe("s", &stream, &group(60, Some(60)));
        assert_eq!(trimmed.total(), 30);
    }

    #[test]
    fn a_new_group_starts_from_nothing() {
        let id = |millis| EntryId { millis, sequence: 0 };
        let trimmed = TrimmedUnread::default();
        let stream =
            |added| StreamInfo { length: 0, added: Some(added), last_generated: id(added), first: None };
        let before = GroupInfo { last_delivered: id(50), read: Some(50), lag: Lag::Unknown };
        trimmed.observe("s", &stream(100), &before);
        assert_eq!(trimmed.total(), 50);
        trimmed.group_is_new();
        let fresh = GroupInfo { last_delivered: id(0), read: Some(0), lag: Lag::Unknown };
        trimmed.observe("s", &stream(7), &fresh);
        assert_eq!(trimmed.total(), 57);
    }
}
