//! What the river is at, for those who ask from outside of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use processor_domain::{EventId, Roster, Timestamp};

use crate::lock::lock;

/// What the river is at, at one moment.
#[derive(Clone, Debug, Default)]
pub struct LiveStanding {
    /// Sockets that are open, and those whose owner is just being asked for.
    pub connections: usize,
    /// The topics that are watched, or were not long ago, in the order of their events.
    pub topics: Vec<TopicStanding>,
    /// The roster read last; `None` until it was read for the first time.
    pub roster: Option<RosterStanding>,
    /// The feeds, in the order in which they were given.
    pub feeds: Vec<FeedStanding>,
}

/// What a topic is at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicStanding {
    /// Whose it is.
    pub event: EventId,
    /// How many watch it here.
    pub viewers: usize,
    /// How many devices take part.
    pub devices: usize,
    /// The number of the last frame.
    pub frames: u64,
}

/// The roster read last.
#[derive(Clone, Debug)]
pub struct RosterStanding {
    /// How long ago it was read.
    pub age: Duration,
    /// What it says.
    pub roster: Arc<Roster>,
}

/// What a feed is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedStanding {
    /// Whether it answered when it was last followed; it is taken to be there until it was, for it was opened.
    pub there: bool,
    /// When the stream took the last position that it handed out.
    pub newest: Option<Timestamp>,
    /// How long after that it was handed out.
    pub delay: Option<Duration>,
}

impl Default for FeedStanding {
    fn default() -> Self {
        Self { there: true, newest: None, delay: None }
    }
}

/// Remembers what a feed is at.
#[derive(Default)]
pub(crate) struct FeedState(Mutex<FeedStanding>);

impl FeedState {
    /// It answered, with a position that the stream took at this moment if there was one.
    pub(crate) fn answered(&self, newest: Option<Timestamp>, now: Timestamp) {
        let standing = &mut *lock(&self.0);
        standing.there = true;
        if let Some(newest) = newest {
            standing.newest = Some(newest);
            standing.delay = Some(now.since(newest));
        }
    }

    pub(crate) fn is_away(&self) {
        lock(&self.0).there = false;
    }

    pub(crate) fn standing(&self) -> FeedStanding {
        *lock(&self.0)
    }
}
