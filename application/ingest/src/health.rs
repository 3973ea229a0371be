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
    streams: Mutex<Vec<(String, StreamHealth)>>,
}

/// What is known of one stream. Whoever reads it and whoever asks how far its group is are on connections of their own.
#[derive(Debug, Default)]
struct StreamHealth {
    read: Option<Answered>,
    asked: Option<Answered>,
}

/// Whether it answered, or why not.
type Answered = Result<(), String>;

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

    /// The streams that did not answer when they were last read or asked, each with the reason; a stream that was
    /// neither is one of them.
    #[must_use]
    pub fn streams_away(&self) -> Vec<(String, String)> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let away =
            streams.iter().filter_map(|(name, health)| Some((name.clone(), health.away()?.to_owned())));
        away.collect()
    }

    pub(crate) fn store(&self, there: bool) {
        self.store.store(there, Ordering::Relaxed);
    }

    /// There is a stream of this name.
    pub(crate) fn stream(&self, name: &str) {
        self.change(name, |_| {});
    }

    /// It was read, or could not be. What was read says more than what was asked before.
    pub(crate) fn stream_was_read(&self, name: &str, answered: Answered) {
        self.change(name, |health| {
            if answered.is_ok() {
                health.asked = None;
            }
            health.read = Some(answered);
        });
    }

    /// It said how far its group is, or did not. A read that waits for entries says nothing for a while, so this is
    /// heard of first after a start.
    pub(crate) fn stream_was_asked(&self, name: &str, answered: Answered) {
        self.change(name, |health| health.asked = Some(answered));
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut StreamHealth)) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, health)) = streams.iter_mut().find(|(known, _)| known == name) {
            change(health);
        } else {
            let mut health = StreamHealth::default();
            change(&mut health);
            streams.push((name.to_owned(), health));
        }
    }
}

impl StreamHealth {
    /// Why it is away; `None` if it is there.
    fn away(&self) -> Option<&str> {
        match (&self.read, &self.asked) {
            (Some(Err(why)), _) | (_, Some(Err(why))) => Some(why),
            (None, None) => Some("it was not read yet"),
            _ => None,
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
        health.stream("a");
        health.stream_was_read("b", Ok(()));
        assert_eq!(health.streams_away(), [("a".to_owned(), "it was not read yet".to_owned())]);
        health.stream_was_asked("a", Ok(()));
        assert!(health.streams_away().is_empty(), "the first read may wait for long");
    }

    #[test]
    fn a_stream_is_away_when_it_cannot_be_read_or_its_group_is_not_there() {
        let health = IngestHealth::default();
        let away = || health.streams_away().into_iter().map(|(_, why)| why).collect::<Vec<_>>();
        health.stream_was_asked("a", Err("no such group".to_owned()));
        assert_eq!(away(), ["no such group"]);
        health.stream_was_read("a", Ok(()));
        assert_eq!(away(), [""; 0], "the group was made anew by whoever reads");
        health.stream_was_read("a", Err("refused".to_owned()));
        health.stream_was_asked("a", Ok(()));
        assert_eq!(away(), ["refused"], "it cannot be read, whatever it says");
        health.stream_was_read("a", Ok(()));
        assert_eq!(away(), [""; 0]);
    }
}
