//! When each record of a recording is due.

use std::collections::VecDeque;
use std::time::Duration;

use processor_domain::Timestamp;

use crate::Recorded;

/// How many of the following records are asked whether to believe a time.
const NEIGHBOURS: usize = 16;

/// Records whose times differ by no more than this agree with each other.
const AGREEMENT: Duration = Duration::from_mins(1);

const DAY: Duration = Duration::from_hours(24);

/// A record and when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) record: Recorded,
    /// So long after the start of the recording, in its own time; it never decreases from record to record.
    pub(crate) after: Duration,
}

/// Lays the records of a recording out in time, in the order in which they were recorded.
///
/// A recording of real trackers is not in order: backlogs come hours late, and a clock that was reset is years
/// off. Time here only moves on, and only by a record that most of the records following it agree with. A
/// record that is older than others before it, has no time or a wrong one goes with its predecessor; a wrong
/// clock holds up nothing.
#[derive(Debug)]
pub(crate) struct Timeline<I, E> {
    records: I,
    ahead: VecDeque<Recorded>,
    /// How the records end; given out after those that are ahead.
    end: Option<Result<(), E>>,
    start: Option<Timestamp>,
    reached: Timestamp,
}

impl<I: Iterator<Item = Result<Recorded, E>>, E> Timeline<I, E> {
    pub(crate) fn new(records: I) -> Self {
        Self { records, ahead: VecDeque::new(), end: None, start: None, reached: Timestamp::default() }
    }

    /// The records it is made of.
    pub(crate) const fn records(&self) -> &I {
        &self.records
    }

    /// The time in the recording at which it starts; `None` as long as no record with a time was near.
    pub(crate) const fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// How far the recording has come in its own time.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.map_or(Duration::ZERO, |start| self.reached.since(start))
    }

    fn look_ahead(&mut self) {
        while self.ahead.len() <= NEIGHBOURS && self.end.is_none() {
            match self.records.next() {
                Some(Ok(record)) => self.ahead.push_back(record),
                Some(Err(error)) => self.end = Some(Err(error)),
                None => self.end = Some(Ok(())),
            }
        }
    }

    fn times_ahead(&self) -> impl Iterator<Item = Timestamp> {
        self.ahead.iter().filter_map(|record| record.at)
    }

    /// The first of the times ahead that is neither from another age than most of them nor ahead of them: nothing
    /// would move until the others had caught up with it.
    fn find_start(&self) -> Option<Timestamp> {
        let mut times: Vec<_> = self.times_ahead().collect();
        times.sort_unstable();
        let usual = *times.get(times.len() / 2)?;
        self.times_ahead().find(|time| usual.since(*time) <= DAY && time.since(usual) <= AGREEMENT)
    }

    /// Whether most of those that follow are not from long before. The last one is believed within a day.
    fn believable(&self, at: Timestamp) -> bool {
        let (mut all, mut before) = (0, 0);
        for time in self.times_ahead() {
            all += 1;
            before += usize::from(at.since(time) > AGREEMENT);
        }
        if all == 0 { at.since(self.reached) <= DAY } else { before * 2 <= all }
    }
}

impl<I: Iterator<Item = Result<Recorded, E>>, E> Iterator for Timeline<I, E> {
    type Item = Result<Due, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.look_ahead();
        if self.start.is_none() {
            self.start = self.find_start();
            self.reached = self.start.unwrap_or_default();
        }
        let Some(record) = self.ahead.pop_front() else {
            return self.end.replace(Ok(()))?.err().map(Err);
        };
        if let Some(at) = record.at
            && at > self.reached
            && self.believable(at)
        {
            self.reached = at;
        }
        Some(Ok(Due { record, after: self.elapsed() }))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    const NOON: i64 = 1_777_636_800;

    /// When records with these times, in seconds, are due.
    fn due(times: &[Option<i64>]) -> Vec<u64> {
        let records = times.iter().map(|seconds| {
            let at = seconds.map(|seconds| Timestamp::from_millis(seconds * 1_000));
            Ok::<_, Infallible>(Recorded { at, payload: Box::default() })
        });
        Timeline::new(records).map(|Ok(due)| due.after.as_secs()).collect()
    }

    #[test]
    fn a_record_without_a_time_goes_with_its_predecessor() {
        assert_eq!(due(&[None, Some(NOON), None, Some(NOON + 5), None]), [0, 0, 0, 5, 5]);
        assert_eq!(due(&[None, None]), [0, 0]);
        assert_eq!(due(&[]), [0; 0]);
    }

    #[test]
    fn older_records_wait_for_nothing() {
        assert_eq!(
            due(&[Some(NOON), Some(NOON + 9), Some(NOON - 7_200), Some(NOON + 4), Some(NOON + 10)]),
            [0, 9, 9, 9, 10]
        );
    }

    #[test]
    fn a_long_pause_is_kept() {
        let times: Vec<_> = (0..40).map(|n| Some(NOON + n + if n < 20 { 0 } else { 30_000 })).collect();
        assert_eq!(due(&times)[19..21], [19, 30_020]);
        assert_eq!(due(&[Some(NOON), Some(NOON + 7_200)]), [0, 7_200]);
    }

    #[test]
    fn the_end_of_the_records_is_given_once_and_after_them() {
        let record = || Recorded { at: None, payload: Box::default() };
        let mut timeline = Timeline::new([Ok(record()), Ok(record()), Err("broken")].into_iter());
        let due = || Some(Ok(Due { record: record(), after: Duration::ZERO }));
        assert_eq!(timeline.next(), due());
        assert_eq!(timeline.next(), due());
        assert_eq!(timeline.next(), Some(Err("broken")));
        assert_eq!(timeline.next(), None);
    }

    proptest! {
        #[test]
        fn records_in_order_are_due_at_their_own_times(steps in prop::collection::vec(0_i64..4_000, 1..200)) {
            let times: Vec<_> = steps
                .iter()
                .scan(NOON, |at, step| { *at += step; Some(*at) })
                .collect();
            let expected: Vec<_> = times.iter().map(|at| (at - times[0]).unsigned_abs()).collect();
            prop_assert_eq!(due(&times.into_iter().map(Some).collect::<Vec<_>>()), expected);
        }

        #[test]
        fn one_wrong_clock_changes_nothing_for_the_others(
            place in 0_usize..99,
            wrong in prop_oneof![Just(0), Just(86_400), Just(NOON + 7_200), Just(4_000_000_000_i64)],
        ) {
            let mut times: Vec<_> = (0..100).map(|n| Some(NOON + n)).collect();
            let without = due(&times);
            times.insert(place, Some(wrong));
            let mut with = due(&times);
            with.remove(place);
            prop_assert_eq!(with, without);
        }

        #[test]
        fn time_never_goes_back(times in prop::collection::vec(prop::option::of(any::<i32>()), 0..200)) {
            let times: Vec<_> = times.into_iter().map(|at| at.map(i64::from)).collect();
            prop_assert!(due(&times).is_sorted());
        }
    }
}
