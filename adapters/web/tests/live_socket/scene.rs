//! A server in front of a river, with ports that a test holds in its hands.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{
    AccessError, MockAccess, MockLastPositions, MockMarks, MockRosterSource, Observed, PositionFeed,
    StreamError, SystemClock,
};
use processor_domain::rules::RuleSet;
use processor_domain::{EntryId, EventId, Position, Roster, Viewer, samples};
use processor_live::{Live, LiveSettings, Ports};
use processor_web::{JsonFrames, LiveServer, PageConfig, SocketSettings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The event that everybody watches.
pub(crate) const RALLY: &str = "rally";

/// Devices that take part in it.
pub(crate) const DEVICES: u64 = 400;

/// What the CMS is like; a test changes it while the server runs.
#[derive(Default)]
pub(crate) struct Cms {
    pub(crate) is_away: bool,
    /// Sessions that are nobody's.
    pub(crate) ended: HashSet<String>,
    pub(crate) asked: usize,
}

pub(crate) struct Scene {
    pub(crate) address: SocketAddr,
    pub(crate) cms: Arc<Mutex<Cms>>,
    pub(crate) stop: CancellationToken,
    feed: mpsc::Sender<Vec<Observed>>,
    river: JoinHandle<()>,
    server: JoinHandle<()>,
    entries: Mutex<u64>,
}

struct Feed(tokio::sync::Mutex<mpsc::Receiver<Vec<Observed>>>);

#[async_trait]
impl PositionFeed for Feed {
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        let batch = async { self.0.lock().await.recv().await };
        Ok(tokio::time::timeout(Duration::from_millis(200), batch).await.ok().flatten().unwrap_or_default())
    }

    async fn close(&self) -> Result<(), StreamError> {
        Ok(())
    }
}

/// Whatever stands in the cookie up to a dash is the name of the viewer.
fn access(cms: &Arc<Mutex<Cms>>) -> MockAccess {
    let mut access = MockAccess::new();
    let known = Arc::clone(cms);
    access.expect_identify().returning(move |credential| {
        let cms = &mut *known.lock().unwrap();
        cms.asked += 1;
        if cms.is_away {
            let retry_after = Some(Duration::from_secs(7));
            return Err(AccessError::Unknown { retry_after, cause: "gone".into() });
        }
        let name = credential.reveal().split('-').next().unwrap_or_default();
        Ok((!cms.ended.contains(credential.reveal())).then(|| Viewer { id: name.into() }))
    });
    access.expect_may_see().returning(|_, event| Ok(event.as_str() != "secret"));
    access
}

fn roster() -> MockRosterSource {
    let mut source = MockRosterSource::new();
    let event = EventId::parse(RALLY).unwrap();
    source.expect_read_roster().returning(move || {
        Ok((0..DEVICES).map(|number| (samples::device(number), event.clone())).collect::<Roster>())
    });
    source
}

/// Only the first device has been heard of.
fn last_positions() -> MockLastPositions {
    let mut store = MockLastPositions::new();
    store.expect_last_positions().returning(|devices| {
        let first = samples::device(0);
        Ok(devices.iter().filter(|device| **device == first).map(|_| good(0, 0)).collect())
    });
    store
}

/// A good position of a device, so many seconds after the beginning of the story.
pub(crate) fn good(device: u64, second: u64) -> Position {
    let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
    samples::position().device(device).at_moment(ts).build()
}

/// A river that tells at once, for a test that waits.
pub(crate) fn river_settings() -> LiveSettings {
    LiveSettings { tick: Duration::ZERO, ..LiveSettings::default() }
}

/// A server that does not wait long for whoever does not answer a close.
pub(crate) fn socket_settings() -> SocketSettings {
    SocketSettings { close_within: Duration::from_millis(200), ..SocketSettings::default() }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(river_settings(), socket_settings()).await
    }

    pub(crate) async fn with(river: LiveSettings, socket: SocketSettings) -> Self {
        let cms = Arc::new(Mutex::new(Cms::default()));
        let access = access(&cms);
        Self::between(cms, Arc::new(access), river, socket).await
    }

    pub(crate) async fn between(
        cms: Arc<Mutex<Cms>>,
        access: Arc<dyn processor_domain::ports::Access>,
        river: LiveSettings,
        socket: SocketSettings,
    ) -> Self {
        let (feed, batches) = mpsc::channel(64);
        let ports = Ports {
            feeds: vec![Arc::new(Feed(tokio::sync::Mutex::new(batches)))],
            last_positions: Arc::new(last_positions()),
            marks: Arc::new(MockMarks::none()),
            roster: Arc::new(roster()),
            access,
            encoder: Arc::new(JsonFrames),
            clock: Arc::new(SystemClock),
        };
        let live = Live::new(ports, RuleSet::standard(), river);
        let socket = SocketSettings { cookie_name: "session".to_owned(), ..socket };
        let server = LiveServer::new(live.clone(), socket, &PageConfig::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let river = tokio::spawn(async move { live.run(stopping).await.unwrap() });
        let stopping = stop.clone();
        let server = tokio::spawn(async move { server.serve(listener, stopping).await.unwrap() });
        Self { address, cms, stop, feed, river, server, entries: Mutex::new(0) }
    }

    /// Lets the feed hand these out, in one batch.
    pub(crate) async fn publish(&self, positions: Vec<Position>) {
        let observed = positions
            .into_iter()
            .map(|position| {
                let mut entries = self.entries.lock().unwrap();
                *entries += 1;
                let millis = u64::try_from(position.received_at.millis()).unwrap();
                Observed { entry_id: EntryId { millis, sequence: *entries }, position }
            })
            .collect();
        self.feed.send(observed).await.unwrap();
    }

    pub(crate) fn asked(&self) -> usize {
        self.cms.lock().unwrap().asked
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stopped(self) {
        self.stop.cancel();
        self.server.await.unwrap();
        self.river.await.unwrap();
    }
}
