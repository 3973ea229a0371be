//! A position and what was found out about it.

use crate::{Faults, Position};

/// A position on its way to the store.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// The position.
    pub position: Position,
    /// What is wrong with it.
    pub faults: Faults,
    /// Whether the store is likely to have it.
    pub novelty: Novelty,
}

/// Whether a store is likely to have a position already.
///
/// A hint, from the device's state, that lets a store choose the quicker way of writing; it may be wrong, and
/// nothing but speed may depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Novelty {
    /// Newer than everything known of its device.
    Fresh,
    /// Late, sent or delivered again, or the first of its device since the start.
    Suspect,
}
