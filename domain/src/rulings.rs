//! What operators say, in memory.

use std::collections::HashMap;

use crate::{DeviceId, Mark, MarkId, Ruling, Span, Timestamp};

/// The marks that count, by device: how each position is to be judged whatever the rules find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rulings {
    /// The newest mark of each device first.
    marks: HashMap<DeviceId, Vec<Ruled>, foldhash::fast::RandomState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ruled {
    id: MarkId,
    span: Span,
    ruling: Ruling,
}

impl Rulings {
    /// What the newest mark says that speaks of this position.
    #[must_use]
    pub fn on(&self, device_id: &DeviceId, ts: Timestamp) -> Option<Ruling> {
        // Nearly always there are none at all, and this is asked of every position.
        if self.marks.is_empty() {
            return None;
        }
        let ruled = self.marks.get(device_id)?.iter().find(|ruled| ruled.span.contains(ts))?;
        Some(ruled.ruling)
    }

    /// Takes a mark in, or out if it was taken back. Doing so twice is doing it once, in whatever order.
    pub fn take(&mut self, mark: &Mark) {
        let device_id = mark.said.device_id;
        let marks = self.marks.entry(device_id).or_default();
        marks.retain(|ruled| ruled.id != mark.id);
        if mark.taken_back.is_none() {
            let at = marks.partition_point(|ruled| ruled.id > mark.id);
            marks.insert(at, Ruled { id: mark.id, span: mark.said.span, ruling: mark.said.ruling });
        }
        if marks.is_empty() {
            self.marks.remove(&device_id);
        }
    }
}

impl<'a> FromIterator<&'a Mark> for Rulings {
    fn from_iter<I: IntoIterator<Item = &'a Mark>>(marks: I) -> Self {
        let mut rulings = Self::default();
        marks.into_iter().for_each(|mark| rulings.take(mark));
        rulings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TakenBack, samples};
    use proptest::prelude::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_millis(number * 1_000)
    }

    fn mark() -> impl Strategy<Value = (u64, i64, i64, bool, bool)> {
        (0_u64..3, 0_i64..10, 1_i64..6, any::<bool>(), prop::bool::weighted(0.3))
    }

    proptest! {
        #[test]
        fn of_each_position_the_newest_mark_counts(
            marks in prop::collection::vec(mark(), 0..12),
            swaps in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let by = samples::words("race control");
            let marks: Vec<Mark> = marks.into_iter().enumerate().map(|(id, (device, from, length, good, taken))| {
                let ruling = if good { Ruling::Good } else { Ruling::Faulty };
                let mut mark = samples::mark(i64::try_from(id).unwrap(), device, second(from), second(from + length), ruling);
                mark.taken_back = taken.then(|| TakenBack { by: by.clone(), at: second(100) });
                mark
            }).collect();
            let mut shuffled: Vec<&Mark> = marks.iter().collect();
            for index in swaps {
                if !shuffled.is_empty() {
                    let at = index.index(shuffled.len());
                    shuffled.swap(0, at);
                }
            }
            let rulings: Rulings = shuffled.iter().copied().chain(&marks).collect();
            for device in 0..3 {
                for at in 0..16 {
                    let speaks = |mark: &&Mark| {
                        mark.taken_back.is_none()
                            && mark.said.device_id == samples::device(device)
                            && mark.said.span.contains(second(at))
                    };
                    let expected = marks.iter().rev().find(speaks).map(|mark| mark.said.ruling);
                    prop_assert_eq!(rulings.on(&samples::device(device), second(at)), expected);
                }
            }
        }
    }
}
