//! Devices that send.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use processor_domain::ports::{Clock, SystemClock};
use processor_tests::{RedisServer, Sample};
use redis::pipe;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// Into so many parts a second is divided: in each, as many devices send.
const PARTS: u32 = 20;

/// About how many entries stay on the stream.
const KEPT: u32 = 1_000_000;

/// Devices, each of which sends once a second what it has measured at that moment.
pub(crate) struct Sender {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Sender {
    /// From now on.
    pub(crate) fn start(redis: &RedisServer, stream: &str, devices: u32) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let task = tokio::spawn(send(
            redis.url().to_owned(),
            stream.to_owned(),
            devices,
            Arc::clone(&stop),
            Arc::clone(&sent),
        ));
        Self { stop, sent, task }
    }

    /// Records sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// No more; how many were sent in all.
    pub(crate) async fn end(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await??;
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

async fn send(
    redis_url: String,
    stream: String,
    devices: u32,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut redis = RedisServer::connect(&redis_url).await?;
    let mut parts = interval(Duration::from_secs(1) / PARTS);
    // Those whose turn was missed send late, and none is left out.
    parts.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for second in 0.. {
        for part in 0..PARTS {
            parts.tick().await;
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let now = SystemClock.now();
            let of_part = devices * part / PARTS..devices * (part + 1) / PARTS;
            let mut adding = pipe();
            for device in of_part.clone() {
                let record = Sample::measured(device, second, now).payload;
                let add = adding.cmd("XADD").arg(&stream).arg("MAXLEN").arg("~").arg(KEPT);
                add.arg("*").arg("payload").arg(&*record).ignore();
            }
            if !of_part.is_empty() {
                let () = adding.query_async(&mut redis).await?;
                sent.fetch_add(u64::from(of_part.end - of_part.start), Ordering::Relaxed);
            }
        }
    }
    Ok(())
}
