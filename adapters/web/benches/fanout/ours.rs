//! The live port in front of a river whose feed is in our hands.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::measure::Delays;

pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    feed: mpsc::UnboundedSender<Vec<Observed>>,
    told: Arc<Told>,
    watch: Arc<Watch>,
    sockets: Handle,
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
}

fn rally() -> EventId {
    EventId::parse("rally").expect("an id")
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
        Ok((0..self.devices).map(|number| (samples::device(number), rally())).collect())
    }
}

#[async_trait]
impl LastPositions for Open {
    async fn last_positions(&self, _: &[DeviceId]) -> Result<Vec<Position>, StoreError> {
        Ok(Vec::new())
    }
}

/// Frames, counted.
#[derive(Default)]
struct Told(AtomicU64);

impl FrameEncoder for Told {
    fn positions(&self, frame: &PositionsFrame<'_>) -> Bytes {
        let bytes = JsonFrames.positions(frame);
        self.0.fetch_add(1, Ordering::Release);
        bytes
    }

    fn snapshot(&self, positions: &[Sighting]) -> Bytes {
        JsonFrames.snapshot(positions)
    }
}

/// The clock, which is asked when a frame is written to a viewer: that is when the delay ends.
struct Watch {
    zero: Instant,
    published: AtomicU64,
    paused: AtomicBool,
    millis: Mutex<Vec<f64>>,
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        if !self.paused.load(Ordering::Relaxed) {
            let delay = self.micros() - self.published.load(Ordering::Relaxed);
            self.millis.lock().expect("nobody panics").push(delay as f64 / 1e3);
        }
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

/// A thread with a runtime of its own, which ends with this.
fn thread(name: &str, work: impl Future<Output = ()> + Send + 'static) -> Handle {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    let named = std::thread::Builder::new().name(name.to_owned());
    named.spawn(move || runtime.block_on(work)).expect("a thread");
    handle
}

/// How many threads serve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    Two,
}

impl Ours {
    /// A server of an event with so many devices.
    ///
    /// The river and the sockets share a thread, as they share the threads of the program, or have one each, so that
    /// the sockets can be held up while the river goes on.
    pub(crate) fn start(devices: u64, threads: Threads) -> Self {
        let (feed, batches) = mpsc::unbounded_channel();
        let open = Arc::new(Open { devices });
        let told = Arc::new(Told::default());
        let watch = Arc::new(Watch {
            zero: Instant::now(),
            published: AtomicU64::new(0),
            paused: AtomicBool::new(threads == Threads::Two),
            millis: Mutex::default(),
        });
        let ports = Ports {
            feeds: vec![Arc::new(Feed(tokio::sync::Mutex::new(batches)))],
            last_positions: Arc::clone(&open) as Arc<dyn LastPositions>,
            marks: Arc::new(MockMarks::none()),
            roster: Arc::clone(&open) as Arc<dyn RosterSource>,
            access: open,
            encoder: Arc::clone(&told) as Arc<dyn FrameEncoder>,
            clock: Arc::clone(&watch) as Arc<dyn Clock>,
        };
        let river = LiveSettings { tick: Duration::ZERO, ..LiveSettings::default() };
        let stop = CancellationToken::new();
        let (sockets, address) = {
            let live = Live::new(ports, RuleSet::standard(), river);
            let (told_address, address) = std::sync::mpsc::channel();
            let sockets = thread(if threads == Threads::One { "ours" } else { "held up" }, {
                let (live, stop) = (live.clone(), stop.clone());
                async move {
                    let settings = SocketSettings {
                        cookie_name: "session".to_owned(),
                        stop_within: Duration::from_millis(100),
                        // The viewers do not answer.
                        ping_every: Duration::from_hours(24),
                        ..SocketSettings::default()
                    };
                    let server = LiveServer::new(live, settings, &PageConfig::default()).expect("a page");
                    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                    told_address.send(listener.local_addr().expect("an address")).expect("somebody waits");
                    server.serve(listener, stop).await.expect("it has a listener");
                }
            });
            let stopping = stop.clone();
            let river = async move { live.run(stopping).await.expect("it runs until it is stopped") };
            match threads {
                Threads::One => drop(sockets.spawn(river)),
                Threads::Two => drop(thread("river", river)),
            }
            (sockets, address.recv().expect("it starts"))
        };
        let frame = frame_of(devices);
        Self { address, feed, told, watch, sockets, frame, devices, second: AtomicU64::new(1), stop }
    }

    /// A frame like those that are sent.
    pub(crate) const fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Publishes a position of each device, and waits until the frame is made.
    pub(crate) fn publish_and_wait(&self) {
        let told = self.told.0.load(Ordering::Acquire);
        self.publish();
        while self.told.0.load(Ordering::Acquire) == told {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Publishes a position of each device.
    pub(crate) fn publish(&self) {
        let second = self.second.fetch_add(1, Ordering::Relaxed);
        let batch = second_of_fleet(self.devices, second);
        self.watch.published.store(self.watch.micros(), Ordering::Relaxed);
        self.feed.send(batch).expect("the river runs");
    }

    /// Keeps the sockets from being served.
    pub(crate) fn pause(&self) -> Paused {
        let (resume, resumed) = std::sync::mpsc::channel();
        let (begun, begins) = std::sync::mpsc::channel();
        self.sockets.spawn(async move {
            begun.send(()).expect("somebody waits");
            // Blocks the only thread of the sockets.
            resumed.recv().expect("it is resumed");
        });
        begins.recv().expect("the sockets are served");
        Paused(resume)
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

/// The sockets are not served.
pub(crate) struct Paused(std::sync::mpsc::Sender<()>);

impl Paused {
    /// They are served again.
    pub(crate) fn resume(self) {
        self.0.send(()).expect("it is paused");
    }
}

fn frame_of(devices: u64) -> Bytes {
    let sightings: Vec<_> =
        second_of_fleet(devices, 0).iter().map(|observed| Sighting::stored(&observed.position)).collect();
    let event = rally();
    JsonFrames.positions(&PositionsFrame {
        event: &event,
        seq: 100,
        removed: &[],
        positions: &sightings,
        conflated: false,
    })
}
