//! All topics, and the roster that says who takes part in them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use processor_domain::{DeviceId, EventId, Position, Roster};
use tokio::sync::Notify;

use crate::judge::Judge;
use crate::lock::lock;
use crate::metrics::LiveMetrics;
use crate::outlet::{Bell, Call};
use crate::topic::Topic;
use crate::{FrameEncoder, LiveSettings, Sighting, TopicStanding};

/// The topics that somebody watches, or watched not long ago.
pub(crate) struct Topics {
    settings: Arc<LiveSettings>,
    metrics: Arc<LiveMetrics>,
    encoder: Arc<dyn FrameEncoder>,
    judge: Arc<Judge>,
    /// Held by whoever adds or drops a topic or changes the roster, so that no topic misses a roster.
    changing: Mutex<()>,
    current: Mutex<Current>,
    viewers: AtomicU64,
    /// There is something to be told.
    pub(crate) staged: Notify,
    /// There are viewers to be called.
    pub(crate) told: Arc<Notify>,
    /// There are devices whose last known positions are wanted.
    pub(crate) wanted: Notify,
    /// The last known positions cannot be had at the moment.
    store_is_away: AtomicBool,
}

/// What is true at one moment. Both are swapped whole: whoever looks takes a copy of the handle.
#[derive(Clone, Default)]
pub(crate) struct Current {
    pub(crate) topics: Arc<HashMap<EventId, Arc<Topic>>>,
    /// `None` until it was read for the first time.
    pub(crate) roster: Option<Arc<Roster>>,
}

/// One viewer's watching of one topic, for as long as it is not dropped.
pub(crate) struct Watching {
    pub(crate) topic: Arc<Topic>,
    id: u64,
    metrics: Arc<LiveMetrics>,
}

impl Topics {
    pub(crate) fn new(
        encoder: Arc<dyn FrameEncoder>,
        judge: Arc<Judge>,
        settings: Arc<LiveSettings>,
        metrics: Arc<LiveMetrics>,
    ) -> Self {
        Self {
            settings,
            metrics,
            encoder,
            judge,
            changing: Mutex::default(),
            current: Mutex::default(),
            viewers: AtomicU64::new(0),
            staged: Notify::new(),
            told: Arc::default(),
            wanted: Notify::new(),
            store_is_away: AtomicBool::new(false),
        }
    }

    /// The topics and the roster of this moment.
    pub(crate) fn current(&self) -> Current {
        lock(&self.current).clone()
    }

    /// Begins to watch an event; its topic begins with its first viewer.
    pub(crate) fn watch(&self, event: &EventId, bell: &Arc<Bell>) -> Watching {
        let _changing = lock(&self.changing);
        let Current { topics, roster } = self.current();
        let topic = topics.get(event).cloned().unwrap_or_else(|| self.add(event, topics, roster));
        let id = self.viewers.fetch_add(1, Ordering::Relaxed);
        topic.enter(id, bell.call());
        self.metrics.subscriptions.increment(1.0);
        Watching { topic, id, metrics: Arc::clone(&self.metrics) }
    }

    fn add(
        &self,
        event: &EventId,
        mut topics: Arc<HashMap<EventId, Arc<Topic>>>,
        roster: Option<Arc<Roster>>,
    ) -> Arc<Topic> {
        let (encoder, told) = (Arc::clone(&self.encoder), Arc::clone(&self.told));
        let topic = Arc::new(Topic::new(event.clone(), encoder, &self.settings, told));
        Arc::make_mut(&mut topics).insert(event.clone(), Arc::clone(&topic));
        lock(&self.current).topics = topics;
        if let Some(roster) = roster {
            self.set_members(event, &topic, &roster);
            self.wanted.notify_one();
        }
        if self.store_is_away.load(Ordering::Relaxed) {
            topic.answer();
        }
        topic
    }

    /// Swaps the roster. A device that left an event is gone from its topic when this returns.
    pub(crate) fn adopt(&self, roster: Roster) {
        let _changing = lock(&self.changing);
        self.metrics.roster_devices.set(roster.devices() as f64);
        if self.current().roster.is_some_and(|known| *known == roster) {
            return;
        }
        let roster = Arc::new(roster);
        lock(&self.current).roster = Some(Arc::clone(&roster));
        for (event, topic) in self.current().topics.iter() {
            self.set_members(event, topic, &roster);
        }
        self.wanted.notify_one();
    }

    /// To be called when the topic and the roster are current: what the feed hands out from then on is staged,
    /// and what it handed out before is taken from memory here, for the store may not have it yet.
    fn set_members(&self, event: &EventId, topic: &Topic, roster: &Roster) {
        topic.set_members(&roster.devices_of(event).collect::<HashSet<_>>());
        topic.seed(&[], &self.judge.newest_of(&topic.unseeded()));
    }

    /// Drops the topics that nobody has watched for long.
    pub(crate) fn sweep(&self) {
        let _changing = lock(&self.changing);
        let mut topics = self.current().topics;
        let kept = |topic: &Topic| !topic.is_deserted(self.settings.keep_topic);
        if !topics.values().all(|topic| kept(topic)) {
            Arc::make_mut(&mut topics).retain(|_, topic| kept(topic));
            lock(&self.current).topics = topics;
        }
    }

    /// Tells in every topic what is staged there.
    pub(crate) fn tell(&self) {
        for topic in self.current().topics.values() {
            topic.tell();
        }
    }

    /// Those who are to be called, by topic.
    pub(crate) fn to_be_called(&self) -> Vec<Arc<[Call]>> {
        self.current().topics.values().filter_map(|topic| topic.to_be_called()).collect()
    }

    /// Devices whose last known positions are wanted, each once, at most `limit`.
    pub(crate) fn wanted(&self, limit: usize) -> Vec<DeviceId> {
        let topics = self.current().topics;
        let wanted: HashSet<DeviceId> =
            topics.values().flat_map(|topic| topic.unseeded()).take(limit).collect();
        wanted.into_iter().collect()
    }

    /// All devices of all topics, each once.
    pub(crate) fn members(&self) -> Vec<DeviceId> {
        let topics = self.current().topics;
        let members: HashSet<DeviceId> = topics.values().flat_map(|topic| topic.members()).collect();
        members.into_iter().collect()
    }

    /// What every topic is at, in the order of their events.
    pub(crate) fn standing(&self) -> Vec<TopicStanding> {
        let mut standing: Vec<_> = self.current().topics.values().map(|topic| topic.standing()).collect();
        standing.sort_unstable_by(|one, other| one.event.cmp(&other.event));
        standing
    }

    /// Gives every topic what the store said of the devices asked for.
    pub(crate) fn seed(&self, asked: &[DeviceId], known: &[Position]) {
        self.store_is_away.store(false, Ordering::Relaxed);
        let known: Vec<Sighting> = known.iter().map(Sighting::stored).collect();
        for topic in self.current().topics.values() {
            topic.seed(asked, &known);
        }
    }

    /// Puts the places of these devices right, of which operators said something new: `known` are their last
    /// positions as the store has them now. What the feed handed out since is in the memory of the judge.
    pub(crate) fn correct(&self, devices: &[DeviceId], known: &[Position]) {
        let mut places: HashMap<DeviceId, Option<Sighting>> = devices.iter().map(|id| (*id, None)).collect();
        for sighting in known.iter().map(Sighting::stored).chain(self.judge.newest_of(devices)) {
            let place = places.entry(sighting.device_id).or_default();
            if place.is_none_or(|place| place.ts < sighting.ts) {
                *place = Some(sighting);
            }
        }
        for topic in self.current().topics.values() {
            topic.correct(&places);
        }
    }

    /// The last known positions cannot be had: subscriptions are answered without them until they can.
    pub(crate) fn answer_without_seed(&self) {
        self.store_is_away.store(true, Ordering::Relaxed);
        for topic in self.current().topics.values() {
            topic.answer();
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.topic.leave(self.id);
        self.metrics.subscriptions.decrement(1.0);
    }
}
