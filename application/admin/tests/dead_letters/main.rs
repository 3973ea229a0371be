//! What operators do with dead letters, on mocks of the places and of the streams.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod discarding;
mod listing;
mod redriving;
mod shelf;
