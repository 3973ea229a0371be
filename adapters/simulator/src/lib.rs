//! A synthetic rally, in the wire format.
//!
//! A [`Rally`] is what the platform's own ingestion would have put onto the stream had there been a rally: cars
//! on a [`Route`] of closed form, one fix a second each, and every fault that trackers are known for
//! ([`Quirk`]). It is an iterator of records in the order in which they arrive, without an end and in bounded
//! memory. It reads no clock and does no I/O: the same [`RallySettings`] give the same bytes on any machine.
//!
//! ```
//! use processor_domain::Timestamp;
//! use processor_simulator::{Rally, RallySettings};
//!
//! let start = Timestamp::from_millis(1_777_629_600_000);
//! let mut rally = Rally::new(RallySettings { seed: 7, ..RallySettings::starting_at(start) });
//! assert_eq!(rally.cars().len(), 48);
//! let first = rally.next().expect("a rally has no end");
//! assert!(first.at >= start);
//! assert!(first.payload.starts_with(br#"{"device_id":"#));
//! ```

mod car;
mod chance;
mod profile;
mod quirk;
mod rally;
mod route;
mod tracker;
mod wire;

pub use car::Car;
pub use quirk::Quirk;
pub use rally::{Rally, RallySettings, Sent};
pub use route::{Place, Route};
