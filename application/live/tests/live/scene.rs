//! A river between ports that a test holds in its hands, and viewers that check what they are told.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use metrics_util::debugging::DebuggingRecorder;
use processor_domain::ports::{
    AccessError, Changes, MockAccess, MockClock, MockLastPositions, MockMarks, MockRosterSource, Observed,
    PositionFeed, StoreError, StoreFailure, StreamError,
};
use processor_domain::rules::RuleSet;
use processor_domain::{
    Credential, DeviceId, EntryId, EventId, Mark, Position, Revision, Roster, Timestamp, Viewer, samples,
};
use processor_live::{FrameEncoder, Live, LiveSettings, Ports, PositionsFrame, Refusal, Session, Sighting};
use processor_tasks::TaskEnded;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) fn event(name: &str) -> EventId {
    EventId::parse(name).unwrap()
}

/// The moment so many seconds after the beginning of the story.
pub(crate) fn second(number: u64) -> Timestamp {
    samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(number))
}

/// What the clock shows, all the time.
pub(crate) const NOW: u64 = 1_000;

pub(crate) fn good(device: u64, at: u64) -> Position {
    samples::position().device(device).at_moment(second(at)).build()
}

/// On null island.
pub(crate) fn faulty(device: u64, at: u64) -> Position {
    samples::position().device(device).at_moment(second(at)).at(0.0, 0.0).build()
}

/// Frames as text that is easy to take apart: `event|seq|conflated|removed,…|device@micros@good,…`
pub(crate) struct TextFrames {
    pub(crate) encoded: Mutex<Encoded>,
}

#[derive(Default, Clone, Copy)]
pub(crate) struct Encoded {
    pub(crate) frames: usize,
    pub(crate) conflated: usize,
    pub(crate) snapshots: usize,
}

fn text_of(positions: &[Sighting]) -> String {
    positions.iter().fold(String::new(), |mut text, sighting| {
        let good = if sighting.faulty() { "faulty" } else { "good" };
        write!(text, "{}@{}@{good},", sighting.device_id, sighting.ts.micros()).unwrap();
        text
    })
}

impl FrameEncoder for TextFrames {
    fn positions(&self, frame: &PositionsFrame<'_>) -> Bytes {
        let encoded = &mut *self.encoded.lock().unwrap();
        encoded.frames += usize::from(!frame.conflated);
        encoded.conflated += usize::from(frame.conflated);
        let PositionsFrame { event, seq, removed, positions, conflated } = frame;
        let mut text = format!("{event}|{seq}|{conflated}|");
        for id in *removed {
            write!(text, "{id},").unwrap();
        }
        text.push('|');
        text.push_str(&text_of(positions));
        text.into()
    }

    fn snapshot(&self, positions: &[Sighting]) -> Bytes {
        if !positions.is_empty() {
            self.encoded.lock().unwrap().snapshots += 1;
        }
        text_of(positions).into()
    }
}

pub(crate) struct ScriptedFeed {
    /// `None` is a failure.
    batches: tokio::sync::Mutex<mpsc::UnboundedReceiver<Option<Vec<Observed>>>>,
    closed: Arc<Mutex<bool>>,
}

#[async_trait]
impl PositionFeed for ScriptedFeed {
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        let mut batches = self.batches.lock().await;
        match tokio::time::timeout(Duration::from_secs(1), batches.recv()).await {
            Ok(Some(Some(batch))) => Ok(batch),
            Ok(_) => Err(StreamError::Unavailable("gone".into())),
            Err(_) => Ok(vec![]),
        }
    }

    async fn close(&self) -> Result<(), StreamError> {
        *self.closed.lock().unwrap() = true;
        Ok(())
    }
}

/// What the outside world is like; a test changes it while the river runs.
#[derive(Default)]
pub(crate) struct World {
    /// Who takes part; `None` while it cannot be read.
    pub(crate) roster: Option<HashSet<(u64, &'static str)>>,
    /// The newest good position of each device.
    pub(crate) stored: HashMap<DeviceId, Position>,
    pub(crate) store_is_away: bool,
    /// Every change of a mark there was, in order.
    pub(crate) marks: Vec<Mark>,
    pub(crate) store_queries: usize,
    /// Credentials that are nobody's any more.
    pub(crate) ended: HashSet<&'static str>,
    /// Events that nobody may see.
    pub(crate) forbidden: HashSet<&'static str>,
    pub(crate) cms_is_away: bool,
    pub(crate) identified: usize,
}

pub(crate) struct Scene {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) live: Live,
    pub(crate) encoder: Arc<TextFrames>,
    pub(crate) stop: CancellationToken,
    pub(crate) recorder: DebuggingRecorder,
    feed: mpsc::UnboundedSender<Option<Vec<Observed>>>,
    pub(crate) feed_closed: Arc<Mutex<bool>>,
    river: JoinHandle<Result<(), TaskEnded>>,
    entries: std::cell::Cell<u64>,
}

pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable { kind: StoreFailure::Connection, cause: "gone".into() }
}

fn unknown() -> AccessError {
    AccessError::Unknown { retry_after: Some(Duration::from_secs(7)), cause: "gone".into() }
}

fn access(world: &Arc<Mutex<World>>) -> MockAccess {
    let mut access = MockAccess::new();
    let known = Arc::clone(world);
    access.expect_identify().returning(move |credential| {
        let world = &mut *known.lock().unwrap();
        world.identified += 1;
        if world.cms_is_away {
            return Err(unknown());
        }
        let somebody = !world.ended.contains(credential.reveal());
        // Everything up to a dash is the name, so that one viewer can have several credentials.
        let name = credential.reveal().split('-').next().unwrap_or_default();
        Ok(somebody.then(|| Viewer { id: name.into() }))
    });
    let known = Arc::clone(world);
    access.expect_may_see().returning(move |_, event| {
        let world = known.lock().unwrap();
        if world.cms_is_away { Err(unknown()) } else { Ok(!world.forbidden.contains(event.as_str())) }
    });
    access
}

fn roster(world: &Arc<Mutex<World>>) -> MockRosterSource {
    let mut source = MockRosterSource::new();
    let known = Arc::clone(world);
    source.expect_read_roster().returning(move || {
        let roster = known.lock().unwrap().roster.clone().ok_or_else(unavailable)?;
        Ok(roster.iter().map(|(device, of)| (samples::device(*device), event(of))).collect::<Roster>())
    });
    source
}

fn last_positions(world: &Arc<Mutex<World>>) -> MockLastPositions {
    let mut store = MockLastPositions::new();
    let known = Arc::clone(world);
    store.expect_last_positions().returning(move |devices| {
        let world = &mut *known.lock().unwrap();
        world.store_queries += 1;
        if world.store_is_away {
            return Err(unavailable());
        }
        Ok(devices.iter().filter_map(|id| world.stored.get(id)).cloned().collect())
    });
    store
}

fn marks(world: &Arc<Mutex<World>>) -> MockMarks {
    let mut marks = MockMarks::new();
    let known = Arc::clone(world);
    marks.expect_changes().returning(move |after| {
        let world = known.lock().unwrap();
        if world.store_is_away {
            return Err(unavailable());
        }
        let seen = usize::try_from(after.0).unwrap();
        // A few at once, so that it takes several questions.
        let new: Vec<Mark> = world.marks.iter().skip(seen).take(2).cloned().collect();
        Ok(Changes { revision: Revision(after.0 + i64::try_from(new.len()).unwrap()), marks: new })
    });
    marks
}

/// The settings of most tests: those of the program, and a roster that is read every second.
pub(crate) fn settings() -> LiveSettings {
    LiveSettings { roster_refresh: Duration::from_secs(1), ..LiveSettings::default() }
}

impl Scene {
    /// A river with these pairs of devices and events in the roster.
    pub(crate) fn with(pairs: &[(u64, &'static str)], settings: LiveSettings) -> Self {
        Self::of(World { roster: Some(pairs.iter().copied().collect()), ..World::default() }, settings)
    }

    pub(crate) fn of(world: World, settings: LiveSettings) -> Self {
        Self::between(world, settings, |ports| ports)
    }

    /// The same between other ports than the usual ones.
    pub(crate) fn between(world: World, settings: LiveSettings, change: impl FnOnce(Ports) -> Ports) -> Self {
        let world = Arc::new(Mutex::new(world));
        let (feed, batches) = mpsc::unbounded_channel();
        let feed_closed = Arc::default();
        let encoder = Arc::new(TextFrames { encoded: Mutex::default() });
        let mut clock = MockClock::new();
        clock.expect_now().returning(|| second(NOW));
        let ports = change(Ports {
            feeds: vec![Arc::new(ScriptedFeed {
                batches: tokio::sync::Mutex::new(batches),
                closed: Arc::clone(&feed_closed),
            })],
            last_positions: Arc::new(last_positions(&world)),
            marks: Arc::new(marks(&world)),
            roster: Arc::new(roster(&world)),
            access: Arc::new(access(&world)),
            encoder: Arc::clone(&encoder) as Arc<dyn FrameEncoder>,
            clock: Arc::new(clock),
        });
        let recorder = DebuggingRecorder::new();
        let live =
            metrics::with_local_recorder(&recorder, || Live::new(ports, RuleSet::standard(), settings));
        let stop = CancellationToken::new();
        let river = tokio::spawn({
            let (live, stop) = (live.clone(), stop.clone());
            async move { live.run(stop).await }
        });
        let entries = std::cell::Cell::new(0);
        Self { world, live, encoder, stop, recorder, feed, feed_closed, river, entries }
    }

    pub(crate) fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.lock().unwrap())
    }

    /// Lets the feed hand these out.
    pub(crate) fn publish(&self, positions: Vec<Position>) {
        let observed = positions.into_iter().map(|position| {
            self.entries.set(self.entries.get() + 1);
            let millis = u64::try_from(position.received_at.millis()).unwrap();
            Observed { entry_id: EntryId { millis, sequence: self.entries.get() }, position }
        });
        self.feed.send(Some(observed.collect())).unwrap();
    }

    /// Lets the feed fail once.
    pub(crate) fn fail_feed(&self) {
        self.feed.send(None).unwrap();
    }

    /// Waits until all that was caused so far has happened.
    pub(crate) async fn settle(&self) {
        // Time stands still and moves only when nothing else can: a full tick and a refreshed roster are over.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }

    pub(crate) async fn admit(&self, credential: &str) -> Result<Session, Refusal> {
        self.live.admit(Credential::new(credential)).await
    }

    pub(crate) fn encoded(&self) -> Encoded {
        *self.encoder.encoded.lock().unwrap()
    }

    /// Stops the river and waits until it has ended.
    pub(crate) async fn end(self) -> Result<(), TaskEnded> {
        self.stop.cancel();
        self.river.await.unwrap()
    }
}
