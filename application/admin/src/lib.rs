//! What operators ask, and what they have done.
//!
//! Nothing here knows HTTP, Redis or SQL: each use case is given the ports that it needs.

mod consumers;
mod dead_letters;
mod devices;
mod explain;
mod log_level;
mod unavailable;

pub use consumers::{Consumers, SeenConsumer, StreamConsumers};
pub use dead_letters::{
    DeadLetterDesk, DeadLetterFilter, DeadLetterId, DeadLetterListing, Discarded, InvalidCursor,
    InvalidDeadLetterId, ListError, ListedDeadLetter, Place, Progress, Redrive, RedriveRefusal, Redriven,
};
pub use devices::{DeviceReport, Devices, LettersOfDevices};
pub use explain::{
    Explanation, Fact, Facts, Finding, LettersOfDevice, LiveFacts, Right, RosterFacts, Unknown, Verdict,
    Weight, explain,
};
pub use log_level::{DIRECTIVES, InvalidDirectives, LogLevel, LogLevels, are_directives};
pub use processor_tasks::chain;
pub use unavailable::Unavailable;
