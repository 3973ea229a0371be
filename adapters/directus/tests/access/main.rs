//! Directus as the adapter sees it, played by a server in this process.

mod answers;
mod cancellation;
mod memory;
mod pressure;
mod secrecy;
mod stub;

use std::sync::Arc;

use processor_directus::{DirectusAccess, DirectusSettings};
use processor_domain::ports::{AccessError, Clock};
use processor_domain::{Credential, EventId, Timestamp};

use crate::stub::Stub;

const USER: &str = "0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d";

/// The time at which every test takes place, in seconds since 1970.
const NOW: i64 = 1_777_629_600;

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW * 1_000)
    }
}

fn access(stub: &Stub) -> DirectusAccess {
    access_with(stub, |_| ())
}

fn access_with(stub: &Stub, change: impl FnOnce(&mut DirectusSettings)) -> DirectusAccess {
    let mut settings = DirectusSettings::new(stub.url());
    change(&mut settings);
    DirectusAccess::new(&settings, Arc::new(StoppedClock)).expect("the settings are sound")
}

fn credential(value: &str) -> Credential {
    Credential::new(value)
}

fn event(id: &str) -> EventId {
    EventId::parse(id).expect("an event id")
}

fn is_unknown<T>(answer: &Result<T, AccessError>) -> bool {
    matches!(answer, Err(AccessError::Unknown { .. }))
}
