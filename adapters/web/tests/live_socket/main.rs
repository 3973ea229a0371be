//! The live port from outside: real connections to a server in front of a river between mock ports.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod closing;
mod page;
mod raw;
mod scene;
mod stopping;
mod talking;
mod upgrade;
mod viewer;
