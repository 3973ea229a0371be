//! Devices that go on sending, whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use processor_tests::{Ledger, RedisServer, Sample, records};
use redis::aio::MultiplexedConnection;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::scene::Scene;

/// What is sent, from where the chapter before has left off.
pub(crate) struct Load {
    records: Box<dyn Iterator<Item = Sample> + Send>,
    devices: usize,
    every: Duration,
}

/// A chapter's records, being sent.
pub(crate) struct Sending {
    stop: Arc<AtomicBool>,
    task: JoinHandle<(Load, Ledger, bool)>,
}

impl Load {
    /// So many devices, each of which sends so often a second.
    pub(crate) fn new(devices: u32, rate: u32) -> Self {
        Self {
            records: Box::new(records(devices, u32::MAX)),
            devices: devices as usize,
            every: Duration::from_secs(1) / rate,
        }
    }

    /// Begins to send, straight to the server: it is the program's network that breaks.
    pub(crate) fn send_to(self, scene: &Scene) -> Sending {
        let stop = Arc::new(AtomicBool::new(false));
        let (url, ledger) = (scene.redis().url().to_owned(), Ledger::of(scene.stream()));
        let task = tokio::spawn(self.send(url, ledger, Arc::clone(&stop)));
        Sending { stop, task }
    }

    async fn send(mut self, url: String, mut ledger: Ledger, stop: Arc<AtomicBool>) -> (Self, Ledger, bool) {
        let mut ticks = tokio::time::interval(self.every);
        // Trackers that were held up do not send all at once.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut connection, mut doubtful) = (None, false);
        while !stop.load(Ordering::SeqCst) {
            ticks.tick().await;
            let each: Vec<Sample> = self.records.by_ref().take(self.devices).collect();
            connection = publish(&url, connection, &mut ledger, each).await;
            doubtful |= connection.is_none();
        }
        (self, ledger, doubtful)
    }
}

impl Sending {
    /// The last record is sent; what was given out is in the ledger.
    pub(crate) async fn end(self, scene: &Scene) -> anyhow::Result<(Load, Ledger)> {
        self.stop.store(true, Ordering::SeqCst);
        let (load, mut ledger, doubtful) = self.task.await?;
        if doubtful {
            let connection = scene.redis().connection().await;
            let mut connection = connection.context("the server is back when the chapter ends")?;
            ledger.recount(&mut connection).await?;
        }
        Ok((load, ledger))
    }
}

/// The connection, if it is still good. What was not confirmed is not sent again: a recount tells what arrived.
async fn publish(
    url: &str,
    connection: Option<MultiplexedConnection>,
    ledger: &mut Ledger,
    each: Vec<Sample>,
) -> Option<MultiplexedConnection> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => RedisServer::connect(url).await.ok()?,
    };
    ledger.publish(&mut connection, each).await.is_ok().then_some(connection)
}
