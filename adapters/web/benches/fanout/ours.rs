//! The live port in front of a river whose feed is in our hands.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use processor_domain::ports::{
    Access, AccessError, Clock, LastPositions, MockMarks, Observed, PositionFeed, RosterSource, StoreError,
    StreamError,
};
use processor_domain::rules::RuleSet;
use processor_domain::{
    Credential, DeviceId, EntryId, EventId, Position, Roster, Timestamp, Viewer, samples,
};
use processor_live::{FrameEncoder, Live, LiveSettings, Ports, PositionsFrame, Sighting};
use processor_web::{JsonFrames, LiveServer, PageConfig, SocketSettings};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::measure::Delays;

pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    feed: mpsc::UnboundedSender<Vec<Observed>>,
    watch: Arc<Watch>,
    frame: Bytes,
    devices: u64,
    second: AtomicU64,
    stop: CancellationToken,
}

struct Feed(tokio::sync::Mutex<mpsc::UnboundedReceiver<Vec<Observed>>>);

#[async_trait]
impl PositionFeed for Feed {
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        self.0.lock().await.recv().await.ok_or_else(|| StreamError::Unavailable("over".into()))
    }

    async fn close(&self) -> Result<(), StreamError> {
        Ok(())
    }
}

/// Everybody may see everything.
struct Open {
    devices: u64,
    events: u64,
}

fn rally(number: u64) -> EventId {
    EventId::parse(&crate::watchers::event(number)).expect("an id")
}

#[async_trait]
impl Access for Open {
    async fn identify(&self, credential: &Credential) -> Result<Option<Viewer>, AccessError> {
        Ok(Some(Viewer { id: credential.reveal().into() }))
    }

    async fn may_see(&self, _: &Credential, _: &EventId) -> Result<bool, AccessError> {
        Ok(true)
    }
}

#[async_trait]
impl RosterSource for Open {
    async fn read_roster(&self) -> Result<Roster, StoreError> {
        let taking_part =
            |event| (0..self.devices).map(move |number| (samples::device(number), rally(event)));
        Ok((0..self.events).flat_map(taking_part).collect())
    }
}

#[async_trait]
impl LastPositions for Open {
    async fn last_positions(&self, _: &[DeviceId]) -> Result<Vec<Position>, StoreError> {
        Ok(Vec::new())
    }
}

/// The clock, which is asked when a frame is written to a viewer: that is when the delay ends.
struct Watch {
    zero: Instant,
    published: AtomicU64,
    millis: Mutex<Vec<f64>>,
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        let delay = self.micros() - self.published.load(Ordering::Relaxed);
        self.millis.lock().expect("nobody panics").push(delay as f64 / 1e3);
        Timestamp::from_millis(0)
    }
}

impl Watch {
    fn micros(&self) -> u64 {
        u64::try_from(self.zero.elapsed().as_micros()).expect("not that long")
    }
}

fn second_of_fleet(devices: u64, second: u64) -> Vec<Observed> {
    let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
    let millis = u64::try_from(ts.millis()).expect("after 1970");
    let observed = |number| Observed {
        entry_id: EntryId { millis, sequence: number },
        position: samples::position().device(number).at_moment(ts).attributes("{}").build(),
    };
    (0..devices).map(observed).collect()
}

impl Ours {
    /// A server of so many events, each with the same devices.
    ///
    /// The river and the sockets share a thread, as they share the threads of the program.
    pub(crate) fn start(devices: u64, events: u64) -> Self {
        let (feed, batches) = mpsc::unbounded_channel();
        let open = Arc::new(Open { devices, events });
        let watch =
            Arc::new(Watch { zero: Instant::now(), published: AtomicU64::new(0), millis: Mutex::default() });
        let ports = Ports {
            feeds: vec![Arc::new(Feed(tokio::sync::Mutex::new(batches)))],
            last_positions: Arc::clone(&open) as Arc<dyn LastPositions>,
            marks: Arc::new(MockMarks::none()),
            roster: Arc::clone(&open) as Arc<dyn RosterSource>,
            access: open,
            encoder: Arc::new(JsonFrames),
            clock: Arc::clone(&watch) as Arc<dyn Clock>,
        };
        let stop = CancellationToken::new();
        let (told, address) = std::sync::mpsc::channel();
        let serving = serve(ports, stop.clone(), told);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let named = std::thread::Builder::new().name("ours".to_owned());
        named.spawn(move || runtime.block_on(serving)).expect("a thread");
        let address = address.recv().expect("it starts");
        Self { address, feed, watch, frame: frame_of(devices), devices, second: AtomicU64::new(1), stop }
    }

    /// A frame like those that are sent.
    pub(crate) const fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Publishes a position of each device.
    pub(crate) fn publish(&self) {
        let second = self.second.fetch_add(1, Ordering::Relaxed);
        let batch = second_of_fleet(self.devices, second);
        self.watch.published.store(self.watch.micros(), Ordering::Relaxed);
        self.feed.send(batch).expect("the river runs");
    }

    pub(crate) fn forget_delays(&self) {
        self.watch.millis.lock().expect("nobody panics").clear();
    }

    pub(crate) fn delays(&self) -> Delays {
        Delays::of(self.watch.millis.lock().expect("nobody panics").clone())
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(ports: Ports, stop: CancellationToken, told: std::sync::mpsc::Sender<SocketAddr>) {
    let river = LiveSettings { tick: Duration::ZERO, ..LiveSettings::default() };
    let live = Live::new(ports, RuleSet::standard(), river);
    let settings = SocketSettings {
        cookie_name: "session".to_owned(),
        stop_within: Duration::from_millis(100),
        // The viewers do not answer.
        ping_every: Duration::from_hours(24),
        ..SocketSettings::default()
    };
    let server = LiveServer::new(live.clone(), settings, &PageConfig::default()).expect("a page");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    told.send(listener.local_addr().expect("an address")).expect("somebody waits");
    let (river, sockets) = tokio::join!(live.run(stop.clone()), server.serve(listener, stop));
    river.expect("it runs until it is stopped");
    sockets.expect("it has a listener");
}

fn frame_of(devices: u64) -> Bytes {
    let sightings: Vec<_> =
        second_of_fleet(devices, 0).iter().map(|observed| Sighting::stored(&observed.position)).collect();
    let event = rally(0);
    JsonFrames.positions(&PositionsFrame {
        event: &event,
        seq: 100,
        removed: &[],
        positions: &sightings,
        conflated: false,
    })
}
