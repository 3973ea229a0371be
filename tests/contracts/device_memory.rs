//! The promises of [`DeviceMemory`](processor_domain::ports::DeviceMemory), for every implementation.

mod laws;

use std::sync::{Arc, Mutex, PoisonError};

use processor_database::Database;
use processor_domain::ports::{Clock, DeviceMemory};
use processor_domain::{DeviceId, DeviceState, Faults, Judged, Novelty, Position, Timestamp, samples};

use crate::databases::{Sqlite, Timescale};

/// A clock that stands where it was put.
struct StoppedClock(Mutex<Timestamp>);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store remembers at the moment `now`.
fn memory_at(database: &Database, now: Timestamp) -> Arc<dyn DeviceMemory> {
    database.device_memory(Arc::new(StoppedClock(Mutex::new(now))))
}

/// What the store remembers shortly after the samples.
fn memory(database: &Database) -> Arc<dyn DeviceMemory> {
    memory_at(database, samples::at("2026-05-01T12:00:00Z"))
}

async fn store(database: &Database, positions: Vec<(Position, Faults)>) -> anyhow::Result<()> {
    let batch: Vec<Judged> = positions
        .into_iter()
        .map(|(position, faults)| Judged { position, faults, novelty: Novelty::Suspect })
        .collect();
    database.position_store().commit(&batch).await?;
    Ok(())
}

/// High-water mark and time of the last good fix, as text.
fn times(state: &DeviceState) -> (Option<String>, Option<String>) {
    let text = |ts: Timestamp| ts.to_string();
    (state.high_water().map(text), state.last_good().map(|fix| text(fix.ts)))
}

fn names(recalled: &[(DeviceId, DeviceState)]) -> Vec<String> {
    recalled.iter().map(|(device, _)| device.to_string()).collect()
}

laws_hold_on_databases! { on_timescale: Timescale, on_sqlite: Sqlite => [
    laws::a_device_that_was_never_heard_of_is_left_out,
    laws::the_newest_time_and_the_newest_good_fix_are_remembered,
    laws::what_is_ahead_of_now_is_not_remembered,
    laws::what_was_from_the_future_stays_so_when_its_time_has_come,
    laws::thousands_are_recalled_at_once,
    laws::the_most_recent_devices_come_last,
    laws::what_is_recalled_is_what_memory_would_know,
] }
