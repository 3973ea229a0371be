//! Whether the river is well, for probes: all of it is remembered, nothing is asked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What is known of the health of the river at this moment.
#[derive(Debug)]
pub struct IngestHealth {
    started: Instant,
    pulses: Mutex<Vec<Arc<Pulse>>>,
    store: AtomicBool,
    streams: Mutex<Vec<(String, bool)>>,
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

impl Default for IngestHealth {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            pulses: Mutex::default(),
            store: AtomicBool::new(false),
            streams: Mutex::default(),
        }
    }
}

impl IngestHealth {
    /// A pulse for a task of this name.
    #[must_use]
    pub fn pulse(&self, name: impl Into<String>) -> Arc<Pulse> {
        let pulse =
            Arc::new(Pulse { name: name.into(), started: self.started, busy_since: AtomicU64::new(0) });
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&pulse));
        pulse
    }

    /// The tasks that have been at one piece of work for longer than `limit`, and for how long.
    #[must_use]
    pub fn stuck(&self, limit: Duration) -> Vec<(String, Duration)> {
        let pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = pulses.iter().filter_map(|pulse| Some((pulse.name.clone(), pulse.busy_for()?)));
        busy.filter(|(_, time)| *time > limit).collect()
    }

    /// Whether the store answered when it was last asked or used.
    #[must_use]
    pub fn store_is_there(&self) -> bool {
        self.store.load(Ordering::Relaxed)
    }

    /// The streams that did not answer when they were last asked; a stream that was never asked is one of them.
    #[must_use]
    pub fn streams_away(&self) -> Vec<String> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.iter().filter(|(_, there)| !there).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn store(&self, there: bool) {
        self.store.store(there, Ordering::Relaxed);
    }

    pub(crate) fn stream(&self, name: &str, there: bool) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        match streams.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = there,
            None => streams.push((name.to_owned(), there)),
        }
    }
}

impl Pulse {
    /// The task begins a piece of work, or a further attempt at it.
    pub(crate) fn busy(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.busy_since.store(millis + 1, Ordering::Relaxed);
    }

    /// The task waits for work.
    pub(crate) fn idle(&self) {
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
        let health = IngestHealth::default();
        let (worker, _idler) = (health.pulse("worker"), health.pulse("idler"));
        worker.busy();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(health.stuck(Duration::from_secs(10)), []);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(health.stuck(Duration::from_secs(10)), [("worker".to_owned(), Duration::from_secs(11))]);
        worker.busy();
        assert_eq!(health.stuck(Duration::from_secs(10)), []);
        tokio::time::advance(Duration::from_mins(1)).await;
        worker.idle();
        assert_eq!(health.stuck(Duration::from_secs(10)), []);
    }

    #[test]
    fn nothing_is_there_until_it_was_asked() {
        let health = IngestHealth::default();
        assert!(!health.store_is_there());
        health.stream("a", false);
        health.stream("b", true);
        assert_eq!(health.streams_away(), ["a"]);
        health.stream("a", true);
        assert!(health.streams_away().is_empty());
    }
}
