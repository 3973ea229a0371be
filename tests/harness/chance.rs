use std::ops::Range;

use crate::number;

/// Chance that comes out the same in every run with the same `PROCESSOR_TEST_SEED`.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// The chance of this run.
    ///
    /// # Errors
    /// If the setting is no number.
    pub fn of_this_run() -> anyhow::Result<Self> {
        let seed = number("PROCESSOR_TEST_SEED", 1)?;
        println!("PROCESSOR_TEST_SEED={seed}");
        Ok(Self(seed))
    }

    /// The chance of a seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A whole number within `range`.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let a = self.0;
        let b = (a ^ (a >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let c = (b ^ (b >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        range.start + (c ^ (c >> 31)) % (range.end - range.start)
    }

    /// The same things in another order.
    #[must_use]
    pub fn shuffled<T>(&mut self, mut things: Vec<T>) -> Vec<T> {
        for last in (1..things.len()).rev() {
            let other = self.within(0..last as u64 + 1);
            things.swap(last, usize::try_from(other).unwrap_or(last));
        }
        things
    }
}
