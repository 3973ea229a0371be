//! The words and the laws of Processor.
//!
//! A tracker in a car sends a [`Position`]; it belongs to a device ([`DeviceId`]) and to a moment of device
//! time ([`Timestamp`]). What is known of a device before a position arrives is its [`DeviceState`]; all
//! devices in memory are [`DeviceStates`], bounded. [`rules`] look at a position and at the state before it and
//! say which [`Faults`] it has: a position with a fault is *marked*, never dropped.
//!
//! What the application needs of the outside world is written down as traits in [`ports`].
//!
//! This crate does no I/O, knows no runtime, reads no clock and knows no wire format.

mod attributes;
mod consumer;
mod device_id;
mod device_state;
mod device_states;
mod enrolment;
mod event_id;
mod fault;
mod geo;
mod history;
mod judgement;
mod kept_dead_letter;
mod mark;
mod outcome;
pub mod ports;
mod position;
mod roster;
pub mod rules;
mod rulings;
#[cfg(any(test, feature = "test-doubles"))]
pub mod samples;
mod stored_record;
mod stream_entry;
mod timestamp;
mod trace_parent;
mod viewer;

pub use attributes::{AttributeValue, Attributes, IoId};
pub use consumer::Consumer;
pub use device_id::{DeviceId, InvalidDeviceId};
pub use device_state::{DeviceState, Fix};
pub use device_states::DeviceStates;
pub use enrolment::{Enrolment, RosterSchema};
pub use event_id::{EventId, InvalidEventId};
pub use fault::{Fault, Faults};
pub use geo::{distance_at_most_m, distance_m};
pub use history::{HistoryCursor, HistoryQuery, InvalidCursor, Kept, Span, SpanIsEmpty, Wanted};
pub use judgement::{Judged, Novelty};
pub use kept_dead_letter::{
    DeadLetterMark, DeadLetterOrder, DeadLetterPage, DeadLetterSelection, KeptDeadLetter, OpenedDeadLetter,
};
pub use mark::{InvalidWords, Mark, MarkId, NewMark, Revision, Ruling, TakenBack, Words};
pub use outcome::{DeadLetterReason, Outcome, Settled};
pub use position::{Altitude, Coordinates, Heading, InvalidPosition, Position, Priority, Speed};
pub use roster::Roster;
pub use rulings::Rulings;
pub use stored_record::StoredRecord;
pub use stream_entry::{DeadLetter, DeadPayload, Delivery, EntryId, Receipt, Record, Standing};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use trace_parent::TraceParent;
pub use viewer::{Credential, Viewer};
