//! What goes wrong, and when.

use crate::chance::Chance;

/// A fault that a tracker shows from time to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quirk {
    /// A tunnel: for half a minute no satellites. The records go on, with the place of the last fix and with
    /// heading, speed and satellites 0.
    NoFix,
    /// A restart: a few seconds of silence, then some records at 0/0 until there is a fix.
    NullIsland,
    /// A dead spot: nothing arrives for over a minute, then all of it at once, the newest first.
    LateUpload,
    /// An acknowledgement that was lost: the last ten records are sent again, byte for byte.
    Duplicates,
    /// An event: a second record for the same second, of high priority and with more attributes, sent ahead.
    EventRecord,
    /// One fix that is tens of kilometres away.
    Jump,
    /// One record that is cut off or lacks what a position must have.
    Undecodable,
    /// One record from two hours ahead.
    FutureClock,
}

impl Quirk {
    /// Every quirk.
    pub const ALL: [Self; 8] = [
        Self::NoFix,
        Self::NullIsland,
        Self::LateUpload,
        Self::Duplicates,
        Self::EventRecord,
        Self::Jump,
        Self::Undecodable,
        Self::FutureClock,
    ];

    /// Cars that follow one another in the start order differ; two out of ten have no quirk.
    pub(crate) fn of_car(index: u16) -> Option<Self> {
        Self::ALL.get(usize::from(index) % 10).copied()
    }

    /// How many seconds it lasts, at least and less than.
    const fn lasts(self) -> std::ops::Range<u64> {
        match self {
            Self::NoFix => 20..40,
            Self::NullIsland => 14..22,
            // Longer than the minute after which a record counts as late.
            Self::LateUpload => 75..130,
            Self::Duplicates | Self::EventRecord | Self::Jump | Self::Undecodable | Self::FutureClock => 1..2,
        }
    }
}

/// When the quirk of one car shows: the first time within four minutes, then every four to seven minutes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    quirk: Option<Quirk>,
    first: u64,
    every: u64,
    lasts: u64,
}

/// A second in which a quirk shows, or the one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Showing {
    pub(crate) quirk: Quirk,
    /// Which time it is, from 0 on.
    pub(crate) occurrence: u64,
    /// Seconds since it began.
    pub(crate) into: u64,
    /// Seconds it lasts; in the second after it, `into` equals this.
    pub(crate) lasts: u64,
}

impl Script {
    pub(crate) fn new(quirk: Option<Quirk>, chance: Chance) -> Self {
        Self {
            quirk,
            // Not in the first seconds: by then every car has a fix to fall back on and records to send again.
            first: chance.about(1).whole(30..240),
            every: chance.about(2).whole(240..420),
            lasts: quirk.map_or(0, |quirk| chance.about(3).whole(quirk.lasts())),
        }
    }

    pub(crate) fn at(&self, second: u64) -> Option<Showing> {
        let since_first = second.checked_sub(self.first)?;
        let (occurrence, into) = (since_first / self.every, since_first % self.every);
        let quirk = self.quirk.filter(|_| into <= self.lasts)?;
        Some(Showing { quirk, occurrence, into, lasts: self.lasts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_first_within_four_minutes_and_then_again_and_again() {
        for seed in 0..100 {
            let script = Script::new(Some(Quirk::Jump), Chance::new(seed));
            let begins: Vec<_> =
                (0..1_800).filter(|&second| script.at(second).is_some_and(|at| at.into == 0)).collect();
            assert!((30..240).contains(&begins[0]), "{begins:?}");
            assert!(begins.windows(2).all(|pair| (240..420).contains(&(pair[1] - pair[0]))), "{begins:?}");
        }
    }

    #[test]
    fn a_car_without_a_quirk_never_shows_one() {
        let script = Script::new(None, Chance::new(3));
        assert!((0..1_000).all(|second| script.at(second).is_none()));
    }
}
