//! Where a feed is in its stream, and how much came by while it was away.

use processor_domain::EntryId;

use crate::info::StreamInfo;

/// A place in a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// The last entry before it.
    pub(crate) after: EntryId,
    /// How many entries had ever been added up to there.
    number: u64,
}

impl Place {
    /// The end of a stream: what follows is new.
    pub(crate) fn end_of(stream: &StreamInfo) -> Self {
        Self { after: stream.last_generated, number: stream.added.unwrap_or_default() }
    }

    /// Moves on past so many entries, of which `last` is the last.
    pub(crate) fn pass(&mut self, entries: usize, last: EntryId) {
        self.after = last;
        self.number = self.number.saturating_add(entries as u64);
    }

    /// The place from which to go on with nothing missed and nothing seen twice, now that the stream is as it
    /// is said to be, and how many entries there are after it: so many as were added, but not more than there
    /// still are. That is exact unless entries were trimmed unseen or the stream was emptied.
    ///
    /// The stream may have been emptied and filled again, or have lost its last entries in a failover. What
    /// has ids from before the place was seen; if all of it has, one goes on at its end.
    pub(crate) fn found_again(self, stream: &StreamInfo) -> (Self, u64) {
        let end = Self::end_of(stream);
        if end.after <= self.after {
            return (end, 0);
        }
        let behind = match stream.added {
            // Not the stream that was counted: all that is in it came since.
            Some(added) if added < self.number => added,
            Some(added) => added - self.number,
            None => stream.length,
        };
        let behind = behind.min(stream.length);
        (Self { after: self.after, number: end.number.saturating_sub(behind) }, behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry_id::START;
    use proptest::prelude::*;

    /// Before everything.
    const BEGINNING: Place = Place { after: START, number: 0 };

    /// A stream as a server keeps it, each entry a number that is its id.
    #[derive(Debug, Default)]
    struct Model {
        entries: Vec<u64>,
        added: u64,
        last: u64,
    }

    impl Model {
        fn add(&mut self, count: u64, clock: &mut u64) {
            for _ in 0..count {
                *clock += 1;
                self.entries.push(*clock);
                (self.added, self.last) = (self.added + 1, *clock);
            }
        }

        fn info(&self) -> StreamInfo {
            let id = |millis| EntryId { millis, sequence: 0 };
            StreamInfo {
                length: self.entries.len() as u64,
                added: Some(self.added),
                last_generated: id(self.last),
                first: self.entries.first().copied().map(id),
            }
        }

        fn after(&self, place: Place) -> Vec<u64> {
            self.entries.iter().copied().filter(|entry| *entry > place.after.millis).collect()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Add(u64),
        Trim(usize),
        Read(usize),
        /// The last entries are gone, as if they had never been.
        FailOver(usize),
        Empty,
        GoOn,
    }

    fn steps(emptied: u32) -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0_u64..30).prop_map(Step::Add),
            2 => (0_usize..30).prop_map(Step::Trim),
            4 => (0_usize..30).prop_map(Step::Read),
            emptied => (0_usize..5).prop_map(Step::FailOver),
            emptied => Just(Step::Empty),
            2 => Just(Step::GoOn),
        ];
        prop::collection::vec(step, 0..40)
    }

    /// What was read in the end, and at each going on how many entries were said to be after it and were.
    fn run(steps: Vec<Step>) -> (Vec<u64>, Vec<u64>, Vec<(u64, u64)>) {
        let (mut stream, mut clock, mut place) = (Model::default(), 0, BEGINNING);
        let (mut read, mut lost, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps.into_iter().chain([Step::GoOn, Step::Read(usize::MAX)]) {
            match step {
                Step::Add(count) => stream.add(count, &mut clock),
                Step::Trim(count) => lost.extend(stream.entries.drain(..count.min(stream.entries.len()))),
                Step::Read(count) => {
                    let batch: Vec<_> = stream.after(place).into_iter().take(count).collect();
                    if let Some(last) = batch.last() {
                        place.pass(batch.len(), EntryId { millis: *last, sequence: 0 });
                    }
                    read.extend(batch);
                }
                Step::FailOver(count) => {
                    let kept = stream.entries.len().saturating_sub(count);
                    let gone = stream.entries.split_off(kept);
                    stream.added -= gone.len() as u64;
                    stream.last = gone.first().map_or(stream.last, |first| first - 1);
                    lost.extend(gone);
                }
                Step::Empty => {
                    lost.append(&mut stream.entries);
                    stream = Model::default();
                }
                Step::GoOn => {
                    let (found, behind) = place.found_again(&stream.info());
                    counts.push((behind, stream.after(found).len() as u64));
                    place = found;
                }
            }
        }
        (read, lost, counts)
    }

    proptest! {
        #[test]
        fn nothing_is_missed_and_nothing_seen_twice_whatever_becomes_of_the_stream(steps in steps(1)) {
            let added: u64 = steps.iter().map(|step| if let Step::Add(count) = step { *count } else { 0 }).sum();
            let (read, lost, _) = run(steps);
            prop_assert!(read.is_sorted_by(|one, next| one < next), "{read:?}");
            let missed = (1..=added).filter(|entry| !read.contains(entry) && !lost.contains(entry));
            prop_assert_eq!(missed.collect::<Vec<_>>(), Vec::<u64>::new());
        }

        #[test]
        fn no_less_is_said_to_have_come_by_than_did_if_nothing_but_trimming_happens(steps in steps(0)) {
            let (_, _, counts) = run(steps);
            for (said, found) in counts {
                prop_assert!(said >= found, "{said} of {found}");
            }
        }
    }

    #[test]
    fn what_was_trimmed_is_not_counted_as_being_there() {
        let mut place = BEGINNING;
        place.pass(10, EntryId { millis: 10, sequence: 0 });
        let id = |millis| EntryId { millis, sequence: 0 };
        let stream = |added, length| StreamInfo {
            length,
            added: Some(added),
            last_generated: id(added),
            first: Some(id(added - length + 1)),
        };
        assert_eq!(place.found_again(&stream(10, 5)), (place, 0));
        assert_eq!(place.found_again(&stream(110, 105)), (place, 100));
        // Where it goes on is before the first of those that are left.
        assert_eq!(place.found_again(&stream(110, 30)), (Place { number: 80, ..place }, 30));
    }

    #[test]
    fn a_server_that_does_not_count_has_at_most_what_is_there() {
        let id = |millis| EntryId { millis, sequence: 0 };
        let stream = StreamInfo { length: 7, added: None, last_generated: id(9), first: Some(id(3)) };
        assert_eq!(BEGINNING.found_again(&stream).1, 7);
        assert_eq!(Place::end_of(&stream).found_again(&stream).1, 0);
    }
}
