//! Chance that can be asked again.

use std::ops::Range;

/// A source of chance that gives the same answer to the same question.
///
/// A question is a chain of numbers: which car, which second, about what. So any record can be made again on
/// its own, byte for byte, in any order: that is how a backlog comes newest first and a record is sent twice
/// without being kept. A generator that runs on from call to call cannot do that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The chance of this part of the question.
    pub(crate) const fn about(self, part: u64) -> Self {
        Self(mix(self.0 ^ mix(part)))
    }

    /// At least 0 and less than 1, evenly spread.
    pub(crate) fn share(self) -> f64 {
        // 53 bits are what a double holds.
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number within `range`, evenly spread.
    pub(crate) fn within(self, range: Range<f64>) -> f64 {
        range.start + (range.end - range.start) * self.share()
    }

    /// A whole number within `range`; its start if it is empty.
    pub(crate) const fn whole(self, range: Range<u64>) -> u64 {
        match range.end.saturating_sub(range.start) {
            0 => range.start,
            width => range.start + self.0 % width,
        }
    }

    /// The bits themselves.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }
}

/// The output function of `SplitMix64`: every bit of the input changes about half the bits of the output.
const fn mix(input: u64) -> u64 {
    let a = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    c ^ (c >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_one_another() {
        let chance = Chance::new(1).about(2);
        assert_eq!(chance.about(3).bits(), Chance::new(1).about(2).about(3).bits());
        assert_ne!(chance.about(3).bits(), chance.about(4).bits());
        assert_ne!(Chance::new(0).about(0).bits(), Chance::new(1).about(0).bits());
    }

    #[test]
    fn answers_are_evenly_spread() {
        let shares: Vec<_> = (0..10_000).map(|n| Chance::new(5).about(n).share()).collect();
        let mean = shares.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        assert!((0..100).all(|n| (3..9).contains(&Chance::new(5).about(n).whole(3..9))));
    }
}
