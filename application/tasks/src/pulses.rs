//! What tasks are at, for probes: all of it is remembered, nothing is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The pulses of the tasks of a river.
#[derive(Debug)]
pub struct Pulses {
    started: Instant,
    all: Mutex<Vec<Arc<Pulse>>>,
}

/// What one task is at.
///
/// A task that waits for work is idle and may be so for ever; one that has been at a single piece of work for
/// very long is stuck.
#[derive(Debug)]
pub struct Pulse {
    name: String,
    started: Instant,
    /// Milliseconds after `started`, plus one; zero when idle.
    busy_since: AtomicU64,
}

impl Default for Pulses {
    fn default() -> Self {
        Self { started: Instant::now(), all: Mutex::default() }
    }
}

impl Pulses {
    /// A pulse for a task of this name.
    #[must_use]
    pub fn of(&self, name: impl Into<String>) -> Arc<Pulse> {
        let pulse =
            Arc::new(Pulse { name: name.into(), started: self.started, busy_since: AtomicU64::new(0) });
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&pulse));
        pulse
    }

    /// The tasks that have been at one piece of work for longer than `limit`, and for how long.
    #[must_use]
    pub fn stuck(&self, limit: Duration) -> Vec<(String, Duration)> {
        let pulses = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = pulses.iter().filter_map(|pulse| Some((pulse.name.clone(), pulse.busy_for()?)));
        busy.filter(|(_, time)| *time > limit).collect()
    }
}

impl Pulse {
    /// The task begins a piece of work, or a further attempt at it.
    pub fn busy(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.busy_since.store(millis + 1, Ordering::Relaxed);
    }

    /// The task waits for work.
    pub fn idle(&self) {
        self.busy_since.store(0, Ordering::Relaxed);
    }

    fn busy_for(&self) -> Option<Duration> {
        let since = self.busy_since.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.started.elapsed().saturating_sub(Duration::from_millis(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_is_stuck_when_it_is_busy_for_too_long_and_not_when_it_is_idle() {
        let pulses = Pulses::default();
        let (worker, _idler) = (pulses.of("worker"), pulses.of("idler"));
        worker.busy();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(pulses.stuck(Duration::from_secs(10)), []);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pulses.stuck(Duration::from_secs(10)), [("worker".to_owned(), Duration::from_secs(11))]);
        worker.busy();
        assert_eq!(pulses.stuck(Duration::from_secs(10)), []);
        tokio::time::advance(Duration::from_mins(1)).await;
        worker.idle();
        assert_eq!(pulses.stuck(Duration::from_secs(10)), []);
    }
}
