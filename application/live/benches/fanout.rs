//! What it costs to tell a fleet's positions to everybody who watches, without sockets: judging, staging, encoding
//! one frame, waking each viewer, and each viewer's taking it.
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use processor_domain::ports::{
    Access, AccessError, LastPositions, MockMarks, Observed, PositionFeed, RosterSource, StoreError,
    StreamError, SystemClock,
};
use processor_domain::rules::RuleSet;
use processor_domain::{
    Altitude, Credential, EntryId, EventId, Heading, Position, Roster, Speed, Viewer, samples,
};
use processor_live::{
    ClientMessage, FrameEncoder, Live, LiveSettings, Outgoing, Ports, PositionsFrame, Sighting, TopicName,
};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::sync::CancellationToken;

struct Json;

fn json_of(positions: &[Sighting]) -> String {
    let mut text = String::with_capacity(positions.len() * 200);
    for sighting in positions {
        let (place, ts) = (sighting.coordinates, sighting.ts);
        let written = write!(
            text,
            r#"{{"device_id":"{}","ts":"{ts}","latitude":{},"longitude":{},"altitude":{},"angle":{},"speed":{},"satellites":{},"faulty":{}}},"#,
            sighting.device_id,
            place.latitude(),
            place.longitude(),
            sighting.altitude.map_or(0.0, Altitude::metres),
            sighting.heading.map_or(0.0, Heading::degrees),
            sighting.speed.map_or(0.0, Speed::kmh),
            sighting.satellites.unwrap_or(0),
            sighting.faulty()
        );
        written.expect("text takes everything");
    }
    text
}

impl FrameEncoder for Json {
    fn positions(&self, frame: &PositionsFrame<'_>) -> Bytes {
        format!(r#"{{"type":"positions","seq":{},"positions":[{}]}}"#, frame.seq, json_of(frame.positions))
            .into()
    }

    fn snapshot(&self, positions: &[Sighting]) -> Bytes {
        json_of(positions).into()
    }
}

struct Feed(Mutex<mpsc::Receiver<Vec<Observed>>>);

#[async_trait]
impl PositionFeed for Feed {
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        self.0.lock().await.recv().await.ok_or_else(|| StreamError::Unavailable("over".into()))
    }

    async fn close(&self) -> Result<(), StreamError> {
        Ok(())
    }
}

/// Everybody may see everything, and every device takes part.
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
    async fn last_positions(&self, _: &[processor_domain::DeviceId]) -> Result<Vec<Position>, StoreError> {
        Ok(Vec::new())
    }
}

/// One second of a fleet: a position of each device.
fn second_of_fleet(devices: u64, second: u64) -> Vec<Observed> {
    let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
    let millis = u64::try_from(ts.millis()).expect("after 1970");
    let observed = |number| Observed {
        entry_id: EntryId { millis, sequence: number },
        position: samples::position().device(number).at_moment(ts).attributes("{}").build(),
    };
    (0..devices).map(observed).collect()
}

/// How many viewers have written the frame of this round.
#[derive(Default)]
struct Round {
    written: AtomicUsize,
    all: Notify,
}

async fn watch(live: Live, number: usize, viewers: usize, round: Arc<Round>) {
    let session = live.admit(Credential::new(format!("viewer{number}"))).await.expect("it may come in");
    session.handle(ClientMessage::Subscribe { topic: TopicName::of(&rally()), uid: None, since: None });
    while let Outgoing::Messages(messages) = session.next().await {
        std::hint::black_box(messages);
        session.written();
        if round.written.fetch_add(1, Ordering::Relaxed) + 1 == viewers {
            round.written.store(0, Ordering::Relaxed);
            round.all.notify_one();
        }
    }
}

fn fanout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout");
    for (devices, viewers) in [(500, 1), (500, 1_000), (500, 5_000)] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (feed, batches) = mpsc::channel(1);
        let open = Arc::new(Open { devices });
        let round = Arc::new(Round::default());
        runtime.block_on(async {
            let ports = Ports {
                feeds: vec![Arc::new(Feed(Mutex::new(batches)))],
                last_positions: Arc::clone(&open) as Arc<dyn LastPositions>,
                marks: Arc::new(MockMarks::none()),
                roster: Arc::clone(&open) as Arc<dyn RosterSource>,
                access: Arc::clone(&open) as Arc<dyn Access>,
                encoder: Arc::new(Json),
                clock: Arc::new(SystemClock),
            };
            let settings = LiveSettings {
                tick: Duration::ZERO,
                message_burst: NonZeroU32::MAX,
                ..LiveSettings::default()
            };
            let live = Live::new(ports, RuleSet::standard(), settings);
            tokio::spawn({
                let live = live.clone();
                async move { live.run(CancellationToken::new()).await }
            });
            for number in 0..viewers {
                tokio::spawn(watch(live.clone(), number, viewers, Arc::clone(&round)));
            }
            round.all.notified().await;
        });
        let mut second = 0;
        group.throughput(Throughput::Elements(viewers as u64));
        group.bench_function(format!("{devices}_devices_to_{viewers}_viewers"), |bencher| {
            bencher.iter_custom(|rounds| {
                let batches: Vec<_> = (0..rounds)
                    .map(|_| {
                        second += 1;
                        second_of_fleet(devices, second)
                    })
                    .collect();
                runtime.block_on(async {
                    let began = Instant::now();
                    for batch in batches {
                        feed.send(batch).await.expect("the river runs");
                        round.all.notified().await;
                    }
                    began.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fanout);
criterion_main!(benches);
