//! The frames of a topic told last.

use std::collections::VecDeque;

use bytes::Bytes;
use processor_domain::Timestamp;

/// However large they are, so many of the last frames are kept: else every viewer would be behind at once.
const KEPT_AT_LEAST: usize = 2;

/// One frame, encoded, with what has to be counted when it is written.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    /// When the oldest position in it was received; `None` if all of them come from the store.
    pub(crate) oldest: Option<Timestamp>,
    /// Positions in it.
    pub(crate) positions: u64,
    /// Positions it stands for.
    pub(crate) offered: u64,
}

/// The frames told last, numbered without a gap, bounded in bytes and in number.
pub(crate) struct Recent {
    frames: VecDeque<Kept>,
    most_bytes: u64,
    most_frames: usize,
    /// The number of the last frame; none was told before number 1.
    seq: u64,
    told: Told,
}

struct Kept {
    frame: Frame,
    /// All that was told before it.
    before: Told,
}

/// Sums over frames.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    pub(crate) bytes: u64,
    pub(crate) positions: u64,
    pub(crate) offered: u64,
}

impl Recent {
    pub(crate) fn new(most_bytes: usize, most_frames: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            most_bytes: most_bytes as u64,
            most_frames: most_frames.max(KEPT_AT_LEAST),
            seq: 0,
            told: Told::default(),
        }
    }

    /// The number of the last frame.
    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }

    /// All that was told.
    pub(crate) const fn told(&self) -> Told {
        self.told
    }

    /// Keeps the next frame.
    pub(crate) fn push(&mut self, frame: Frame) {
        let before = self.told;
        self.told.bytes += frame.bytes.len() as u64;
        self.told.positions += frame.positions;
        self.told.offered += frame.offered;
        self.seq += 1;
        self.frames.push_back(Kept { frame, before });
        while self.frames.len() > KEPT_AT_LEAST && self.is_too_much() {
            self.frames.pop_front();
        }
    }

    fn is_too_much(&self) -> bool {
        let oldest = self.frames.front().map_or(self.told, |kept| kept.before);
        self.frames.len() > self.most_frames || self.told.bytes - oldest.bytes > self.most_bytes
    }

    /// Every frame after the one of this number. `None` if some are not kept any more, or if there never was
    /// such a number.
    pub(crate) fn after(&self, seq: u64) -> Option<impl Iterator<Item = &Frame>> {
        let first = self.index_after(seq)?;
        Some(self.frames.range(first..).map(|kept| &kept.frame))
    }

    /// What the frames after the one of this number come to; `None` as for [`Self::after`].
    pub(crate) fn owed_after(&self, seq: u64) -> Option<Told> {
        let before = self.frames.get(self.index_after(seq)?).map_or(self.told, |kept| kept.before);
        Some(Told {
            bytes: self.told.bytes - before.bytes,
            positions: self.told.positions - before.positions,
            offered: self.told.offered - before.offered,
        })
    }

    fn index_after(&self, seq: u64) -> Option<usize> {
        let missed = usize::try_from(self.seq.checked_sub(seq)?).ok()?;
        self.frames.len().checked_sub(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(size: usize) -> Frame {
        Frame { bytes: vec![0; size].into(), oldest: None, positions: 1, offered: 2 }
    }

    fn sizes(recent: &Recent, seq: u64) -> Option<Vec<usize>> {
        Some(recent.after(seq)?.map(|frame| frame.bytes.len()).collect())
    }

    #[test]
    fn gives_all_that_was_missed_or_says_that_it_cannot() {
        let mut recent = Recent::new(100, 3);
        assert_eq!(sizes(&recent, 0), Some(vec![]));
        assert_eq!(sizes(&recent, 1), None);
        for size in 1..=5 {
            recent.push(frame(size));
        }
        assert_eq!(recent.seq(), 5);
        assert_eq!(sizes(&recent, 5), Some(vec![]));
        assert_eq!(sizes(&recent, 2), Some(vec![3, 4, 5]));
        assert_eq!(sizes(&recent, 1), None);
        assert_eq!(sizes(&recent, 6), None);
        assert_eq!(sizes(&recent, u64::MAX), None);
        assert_eq!(recent.owed_after(2), Some(Told { bytes: 12, positions: 3, offered: 6 }));
        assert_eq!(recent.owed_after(5), Some(Told::default()));
        assert_eq!(recent.owed_after(1), None);
    }

    #[test]
    fn is_bounded_in_bytes_but_keeps_the_last_two() {
        let mut recent = Recent::new(100, 1_000);
        for _ in 0..50 {
            recent.push(frame(40));
            assert!(recent.owed_after(recent.seq() - recent.frames.len() as u64).unwrap().bytes <= 100);
        }
        for _ in 0..2 {
            recent.push(frame(1_000));
        }
        assert_eq!(sizes(&recent, 50), Some(vec![1_000, 1_000]));
        assert_eq!(sizes(&recent, 49), None);
    }
}
