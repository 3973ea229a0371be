//! What can be wrong with a position.

use std::fmt;

use crate::Ruling;

/// One thing that is wrong with a position. The values are written to the database: add, never renumber.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Fault {
    /// The tracker had no satellite fix: the coordinates are those of its last one.
    NoFix = 1,
    /// Latitude and longitude are zero, or the all-ones pattern some firmware sends for "unknown".
    NullIsland = 1 << 1,
    /// Latitude beyond 90 degrees or longitude beyond 180.
    OutOfRange = 1 << 2,
    /// Device time is ahead of the time of receipt.
    Future = 1 << 3,
    /// Device time is from before there were such trackers: a clock that was reset.
    Ancient = 1 << 4,
    /// Farther from the device's last good fix than it could have gone.
    ImplausibleJump = 1 << 5,
    /// Received long after it was measured.
    Late = 1 << 6,
    /// A speed no car has.
    SpeedRange = 1 << 7,
    /// The reported speed and the one derived from the previous fix disagree.
    SpeedMismatch = 1 << 8,
    /// Few satellites, a bad dilution of precision, or jamming.
    LowQuality = 1 << 9,
    /// An operator said that the place is wrong.
    Marked = 1 << 10,
    /// It was called faulty before an operator ruled on it, by somebody who did not say why: the service before
    /// this one, or the CMS.
    Unexplained = 1 << 11,
    /// An operator said that the place is right. It is no fault: it overrules those that are.
    Confirmed = 1 << 12,
}

impl Fault {
    /// Every fault, in the order of its bit.
    pub const ALL: [Self; 13] = [
        Self::NoFix,
        Self::NullIsland,
        Self::OutOfRange,
        Self::Future,
        Self::Ancient,
        Self::ImplausibleJump,
        Self::Late,
        Self::SpeedRange,
        Self::SpeedMismatch,
        Self::LowQuality,
        Self::Marked,
        Self::Unexplained,
        Self::Confirmed,
    ];

    /// A stable name for logs, metrics and interfaces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFix => "no_fix",
            Self::NullIsland => "null_island",
            Self::OutOfRange => "out_of_range",
            Self::Future => "future",
            Self::Ancient => "ancient",
            Self::ImplausibleJump => "implausible_jump",
            Self::Late => "late",
            Self::SpeedRange => "speed_range",
            Self::SpeedMismatch => "speed_mismatch",
            Self::LowQuality => "low_quality",
            Self::Marked => "marked",
            Self::Unexplained => "unexplained",
            Self::Confirmed => "confirmed",
        }
    }
}

/// The faults of one position, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Faults(u16);

impl Faults {
    /// No fault.
    pub const NONE: Self = Self(0);

    /// The faults after which a position does not say where the car is: it moves no marker and times nothing.
    pub const GEOMETRY: Self = Self::FOUND.with(Fault::Marked);

    /// Those of them that were found without an operator.
    pub const FOUND: Self = Self::NONE
        .with(Fault::NoFix)
        .with(Fault::NullIsland)
        .with(Fault::OutOfRange)
        .with(Fault::Future)
        .with(Fault::Ancient)
        .with(Fault::ImplausibleJump)
        .with(Fault::Unexplained);

    /// What operators say.
    pub const RULINGS: Self = Self::NONE.with(Fault::Marked).with(Fault::Confirmed);

    /// This set and `fault`.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | fault as u16)
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `fault` is in the set.
    #[must_use]
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & fault as u16 != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in this set and not in the other one.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the position does not say where the car is: the column `faulty`. What an operator confirmed does,
    /// whatever else was found.
    #[must_use]
    pub const fn faulty(self) -> bool {
        !self.contains(Fault::Confirmed) && !self.intersection(Self::GEOMETRY).is_empty()
    }

    /// The set after an operator ruled on the position; with none, as if nobody ever had.
    #[must_use]
    pub const fn ruled(self, ruling: Option<Ruling>) -> Self {
        let found = self.without(Self::RULINGS);
        match ruling {
            Some(Ruling::Faulty) => found.with(Fault::Marked),
            Some(Ruling::Good) => found.with(Fault::Confirmed),
            None => found,
        }
    }

    /// The set as a number: the column `faults`.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set that [`Self::bits`] gave; bits without a meaning are dropped.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & ((1 << Fault::ALL.len()) - 1))
    }

    /// The faults of the set.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(move |fault| self.contains(*fault))
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self::NONE.with(fault)
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        faults.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter().map(Fault::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_and_back_is_the_same_set(bits in 0_u16..1 << Fault::ALL.len()) {
            let faults = Faults::from_bits(bits);
            prop_assert_eq!(faults.bits(), bits);
            prop_assert_eq!(faults.iter().collect::<Faults>(), faults);
            let geometry = faults.iter().any(|fault| Faults::GEOMETRY.contains(fault));
            prop_assert_eq!(faults.faulty(), geometry && !faults.contains(Fault::Confirmed));
        }

        #[test]
        fn the_last_ruling_counts_and_leaves_what_was_found(bits in 0_u16..1 << Fault::ALL.len()) {
            let faults = Faults::from_bits(bits);
            let found = faults.ruled(None);
            prop_assert_eq!(found, faults.without(Faults::RULINGS));
            for before in [None, Some(Ruling::Faulty), Some(Ruling::Good)] {
                let ruled = faults.ruled(before);
                prop_assert!(ruled.ruled(Some(Ruling::Faulty)).faulty());
                prop_assert!(!ruled.ruled(Some(Ruling::Good)).faulty());
                prop_assert_eq!(ruled.ruled(None), found);
            }
        }
    }

    #[test]
    fn late_and_doubtful_speed_do_not_take_the_place_away() {
        assert!(
            !Faults::from_iter([Fault::Late, Fault::SpeedRange, Fault::SpeedMismatch, Fault::LowQuality])
                .faulty()
        );
        assert!(Faults::from(Fault::NoFix).faulty());
    }
}
