//! What operators ask, and what they have done.
//!
//! Nothing here knows HTTP, Redis or SQL: each use case is given the ports that it needs.

mod devices;
mod explain;
mod log_level;

pub use devices::{DeviceReport, Devices, LettersOfDevices};
pub use explain::{
    Explanation, Fact, Facts, Finding, LettersOfDevice, LiveFacts, Right, RosterFacts, Unknown, Verdict,
    Weight, explain,
};
pub use log_level::{InvalidDirectives, LogLevel, LogLevels};
pub use processor_tasks::chain;
