//! What the server does when no file may be opened any more. A program of its own, for the limit is that of the whole
//! process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use processor_domain::ports::{
    MockAccess, MockLastPositions, MockMarks, MockRosterSource, Observed, PositionFeed, StreamError,
    SystemClock,
};
use processor_domain::rules::RuleSet;
use processor_live::{Live, LiveSettings, Ports};
use processor_web::{JsonFrames, LiveServer, PageConfig, SocketSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

struct NoFeed;

#[async_trait]
impl PositionFeed for NoFeed {
    async fn follow(&self) -> Result<Vec<Observed>, StreamError> {
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), StreamError> {
        Ok(())
    }
}

fn server() -> LiveServer {
    let ports = Ports {
        feeds: vec![Arc::new(NoFeed)],
        last_positions: Arc::new(MockLastPositions::new()),
        marks: Arc::new(MockMarks::none()),
        roster: Arc::new(MockRosterSource::new()),
        access: Arc::new(MockAccess::new()),
        encoder: Arc::new(JsonFrames),
        clock: Arc::new(SystemClock),
    };
    let live = Live::new(ports, RuleSet::standard(), LiveSettings::default());
    LiveServer::new(live, SocketSettings::default(), &PageConfig::default()).unwrap()
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(u64::try_from(micros(usage.user_time()) + micros(usage.system_time())).unwrap())
}

async fn asked(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /config.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn without_descriptors_it_waits_and_does_not_spin_and_goes_on_when_there_are_some() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server().serve(listener, stop.clone()));
    let mut first = TcpStream::connect(address).await.unwrap();
    assert!(asked(&mut first).await.starts_with("HTTP/1.1 200"));
    drop(first);

    // The clients are of this process too: those that the server has not accepted are in its backlog.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 64, hard).unwrap();
    let mut clients = Vec::new();
    while let Ok(client) = TcpStream::connect(address).await {
        clients.push(client);
    }
    let (began, before) = (Instant::now(), processor_time());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let busy = processor_time().saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
    assert!(busy < 0.5, "it spins: {busy}");

    let mut last = clients.pop().unwrap();
    drop(clients);
    let answer = tokio::time::timeout(Duration::from_secs(10), asked(&mut last)).await;
    assert!(answer.expect("it recovers").starts_with("HTTP/1.1 200"));
    stop.cancel();
    serving.await.unwrap().unwrap();
}
