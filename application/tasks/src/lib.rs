//! Tasks with names and pulses, and waiting for what is away.
//!
//! Both rivers are made of tasks that run until they are told to stop, and of services that go away and come back.
//! They know nothing of each other; how they do this is the same, and is here.

mod outage;
mod pulses;
mod tasks;

pub use outage::{Outage, TRACE_EVENTS, chain};
pub use pulses::{Pulse, Pulses};
pub use tasks::{TaskEnded, Tasks};
