use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use processor_tests::{Ledger, RedisServer, Sample, records};
use redis::aio::MultiplexedConnection;
use tokio::task::JoinHandle;

use crate::Stage;

const DEVICES: u32 = 100;
/// How often every device sends.
const EVERY: Duration = Duration::from_millis(100);

/// Devices that go on sending, whatever happens to the server or to the program.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<anyhow::Result<Ledger>>,
}

impl Load {
    /// A thousand records a second, from now on.
    pub(crate) fn on(stage: &Stage) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (url, ledger, until) = (stage.redis.url().to_owned(), stage.ledger(), Arc::clone(&stop));
        let task = tokio::spawn(async move { send(&url, ledger, &until).await });
        Self { stop, task }
    }

    /// The last record is sent; what was given out on the way is in the ledger.
    pub(crate) async fn end(self) -> anyhow::Result<Ledger> {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await?
    }
}

async fn send(redis_url: &str, mut ledger: Ledger, stop: &AtomicBool) -> anyhow::Result<Ledger> {
    let mut ticks = tokio::time::interval(EVERY);
    let mut connection = Some(RedisServer::connect(redis_url).await?);
    let mut doubtful = false;
    let mut seconds = records(DEVICES, u32::MAX);
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        let second: Vec<Sample> = seconds.by_ref().take(DEVICES as usize).collect();
        connection = publish(redis_url, connection, &mut ledger, second).await;
        doubtful |= connection.is_none();
    }
    if doubtful {
        let connection = RedisServer::connect(redis_url).await;
        let mut connection = connection.context("the server is back when the load ends")?;
        ledger.recount(&mut connection).await?;
    }
    Ok(ledger)
}

/// The connection, if it is still good. What was not confirmed is not sent again: a recount tells what arrived.
async fn publish(
    redis_url: &str,
    connection: Option<MultiplexedConnection>,
    ledger: &mut Ledger,
    second: Vec<Sample>,
) -> Option<MultiplexedConnection> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => RedisServer::connect(redis_url).await.ok()?,
    };
    ledger.publish(&mut connection, second).await.is_ok().then_some(connection)
}
