//! Why is this car not on the map: a decision over what is known, made without asking anybody.
//!
//! The checks go the way of a record: heard of, stored, good, on the roster, handed to the live picture, watched,
//! and by somebody who may. What is not known is said not to be known, and never taken for a no.

mod facts;
mod finding;
mod heard;
mod live;
mod roster;
#[cfg(test)]
mod tests;

pub use self::facts::{Fact, Facts, LettersOfDevice, LiveFacts, Right, RosterFacts, Unknown};
pub use self::finding::{Explanation, Finding, Verdict, Weight};

/// Says why the device is not on the map, or that it is.
#[must_use]
pub fn explain(facts: &Facts) -> Explanation {
    let mut findings = Vec::new();
    heard::heard(facts, &mut findings);
    heard::good(facts, &mut findings);
    roster::enrolled(facts, &mut findings);
    live::shown(facts, &mut findings);
    live::may_be_seen(facts, &mut findings);
    Explanation::of(findings)
}
