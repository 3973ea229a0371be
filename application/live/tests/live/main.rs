//! The live river between ports that a test holds in its hands, at a time that stands still.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod limits;
mod marks;
mod model;
mod numbers;
mod outlets;
mod racing;
mod resuming;
mod rights;
mod roster;
mod scene;
mod slow;
mod stuck;
mod telling;
mod viewer;
