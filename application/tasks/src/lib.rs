//! Tasks with names, and waiting for what is away.
//!
//! Both rivers are made of tasks that run until they are told to stop, and of services that go away and come back.
//! They know nothing of each other; how they do these two things is the same, and is here.

mod outage;
mod tasks;

pub use outage::{Outage, TRACE_EVENTS, chain};
pub use tasks::{TaskEnded, Tasks};
