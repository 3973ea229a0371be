//! How messages look on the wire: JSON text, `type` first.

mod client;
#[cfg(test)]
mod golden;
mod positions;
mod server;

pub(crate) use client::read;
pub use positions::JsonFrames;
pub(crate) use positions::faults;
pub(crate) use server::{not_understood, parts_of};
