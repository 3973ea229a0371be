//! What Processor shows over HTTP.

mod operations;

pub use operations::{Operations, Trouble, operations};
