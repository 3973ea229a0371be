//! Where laws plug in.
//!
//! A [`Rule`] looks at one position and at what was known of its device before it, and says which faults the
//! position has. It is pure: the same input gives the same answer, at any time, on any machine. A new rule is
//! one file here and one line in [`RuleSet::standard`] (or in the composition of the program); ingest does not
//! change.

mod device_clock;
mod implausible_jump;
mod low_quality;
mod no_fix;
mod null_island;
mod out_of_range;
mod speed;

use std::fmt;
use std::sync::Arc;

pub use device_clock::DeviceClock;
pub use implausible_jump::ImplausibleJump;
pub use low_quality::LowQuality;
pub use no_fix::NoFix;
pub use null_island::NullIsland;
pub use out_of_range::OutOfRange;
pub use speed::SpeedPlausibility;

use crate::{DeviceState, Faults, Position, Rulings};

/// One law about positions.
pub trait Rule: Send + Sync {
    /// A stable name, for logs and explanations.
    fn name(&self) -> &'static str;

    /// The faults this rule finds in `position`.
    ///
    /// `before` is the state of the device before this position, the default state if nothing is known of it.
    /// `so_far` are the faults found by the rules before this one: a rule about places can pass over a position
    /// that is known not to tell the place.
    fn judge(&self, before: &DeviceState, position: &Position, so_far: Faults) -> Faults;
}

/// Rules in the order in which they are asked, and what operators said, which overrules them.
pub struct RuleSet {
    rules: Vec<Box<dyn Rule>>,
    rulings: Arc<Rulings>,
}

impl RuleSet {
    /// These rules, in this order.
    #[must_use]
    pub fn new(rules: Vec<Box<dyn Rule>>) -> Self {
        Self { rules, rulings: Arc::default() }
    }

    /// From now on operators say this.
    pub fn adopt(&mut self, rulings: Arc<Rulings>) {
        self.rulings = rulings;
    }

    /// The rules of a rally, with their usual limits: what one record tells first, then what the device's
    /// previous ones tell.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![
            Box::new(NoFix),
            Box::new(NullIsland),
            Box::new(OutOfRange),
            Box::new(DeviceClock::default()),
            Box::new(LowQuality::default()),
            Box::new(ImplausibleJump::default()),
            Box::new(SpeedPlausibility::default()),
        ])
    }

    /// All faults of a position.
    #[must_use]
    pub fn judge(&self, before: &DeviceState, position: &Position) -> Faults {
        let found = self
            .rules
            .iter()
            .fold(Faults::NONE, |so_far, rule| so_far.union(rule.judge(before, position, so_far)));
        found.ruled(self.rulings.on(&position.device_id, position.ts))
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.rules.iter().map(|rule| rule.name())).finish()
    }
}
