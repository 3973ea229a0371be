use std::collections::BTreeMap;
use std::time::Duration;

use processor_domain::{Enrolment, EventId, StoredRecord, Timestamp};

/// Something that is known, or why it is not.
pub type Fact<T> = Result<T, Unknown>;

/// Why something is not known, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

/// Everything the decision is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The moment of the question.
    pub now: Timestamp,
    /// The newest records of the device in the store, the newest first.
    pub records: Fact<Vec<StoredRecord>>,
    /// The device time of the newest position in the store that is not faulty.
    pub last_good: Fact<Option<Timestamp>>,
    /// The dead letters that name the device.
    pub letters: Fact<Option<LettersOfDevice>>,
    /// What the CMS has of it.
    pub enrolment: Fact<Enrolment>,
    /// What the live picture has of it; `None` if there is no live socket.
    pub live: Option<LiveFacts>,
    /// The event it is missed in, if one was named.
    pub event: Option<EventId>,
    /// Whether a viewer may see that event, if one was named.
    pub right: Option<Fact<Right>>,
}

/// Dead letters that name a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LettersOfDevice {
    /// How many there are among those looked through.
    pub count: usize,
    /// When the newest was kept.
    pub newest: Timestamp,
    /// Why that one was set aside.
    pub reason: String,
}

/// What the live picture has of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFacts {
    /// The roster in use; `None` if it was never read.
    pub roster: Option<RosterFacts>,
    /// How often the roster is read.
    pub roster_refresh: Duration,
    /// Whether every feed answers.
    pub feeds_are_there: bool,
    /// The longest of the feeds' delays, if any handed out something.
    pub delay: Option<Duration>,
    /// The device time of its newest good position that a feed handed out.
    pub newest_seen: Option<Timestamp>,
    /// How many watch each event that somebody watches here.
    pub viewers: BTreeMap<EventId, usize>,
}

/// What the roster in use has of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterFacts {
    /// How long ago it was read.
    pub age: Duration,
    /// The events of the device.
    pub events: Vec<EventId>,
}

/// What a viewer may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// See the event.
    Allowed,
    /// Not see the event.
    Forbidden,
    /// Nothing: the session is nobody's.
    Nobody,
}
