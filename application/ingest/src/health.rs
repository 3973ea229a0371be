//! Whether the river is well, for probes: all of it is remembered, nothing is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use processor_tasks::Pulses;

/// What is known of the health of the river at this moment.
#[derive(Debug, Default)]
pub struct IngestHealth {
    pulses: Pulses,
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

impl IngestHealth {
    /// What its tasks are at.
    #[must_use]
    pub const fn pulses(&self) -> &Pulses {
        &self.pulses
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

#[cfg(test)]
mod tests {
    use super::*;

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
