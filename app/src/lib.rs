//! The program: reads the configuration, puts the parts together, starts and stops them.
//!
//! [`cli`] is where to begin reading; each command is a file in [`command`].

mod account;
pub mod cli;
pub mod command;
pub mod compose;
pub mod config;
mod log;
mod recorder;
mod run;
mod telemetry;
