//! What operators do with dead letters, on mocks of the places and of the streams.

mod discarding;
mod listing;
mod redriving;
mod shelf;
