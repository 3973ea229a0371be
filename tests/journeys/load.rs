use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use processor_tests::{KeyConnection, Ledger, Sample, records};
use tokio::task::JoinHandle;

use crate::Stage;

const DEVICES: u32 = 100;
/// How often every device sends.
const EVERY: Duration = Duration::from_millis(100);

/// Devices that go on sending, whatever happens to the server or to the program.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    anew: Arc<AtomicBool>,
    task: JoinHandle<anyhow::Result<Ledger>>,
}

/// Where the devices send. Not the server itself: the task may outlive the test, and must not be the last to hold it.
struct Way {
    redis_url: String,
    stream: String,
}

impl Load {
    /// A thousand records a second, from now on.
    pub(crate) fn on(stage: &Stage) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let way = Way { redis_url: stage.redis.url().to_owned(), stream: stage.stream.clone() };
        let anew = Arc::new(AtomicBool::new(false));
        let (ledger, until, again) = (stage.ledger(), Arc::clone(&stop), Arc::clone(&anew));
        let task = tokio::spawn(async move { send(&way, ledger, &until, &again).await });
        Self { stop, anew, task }
    }

    /// The devices look for the server anew: it is another one, which the old one does not know.
    pub(crate) fn connect_anew(&self) {
        self.anew.store(true, Ordering::SeqCst);
    }

    /// The last record is sent; what was given out on the way is in the ledger.
    pub(crate) async fn end(self) -> anyhow::Result<Ledger> {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await?
    }
}

async fn send(way: &Way, mut ledger: Ledger, stop: &AtomicBool, anew: &AtomicBool) -> anyhow::Result<Ledger> {
    let mut ticks = tokio::time::interval(EVERY);
    let mut connection = Some(way.open().await?);
    let mut doubtful = false;
    let mut seconds = records(DEVICES, u32::MAX);
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        if anew.swap(false, Ordering::SeqCst) {
            connection = None;
        }
        let second: Vec<Sample> = seconds.by_ref().take(DEVICES as usize).collect();
        connection = publish(way, connection, &mut ledger, second).await;
        doubtful |= connection.is_none();
    }
    if doubtful {
        let mut connection = way.open().await.context("the server is back when the load ends")?;
        ledger.recount(&mut connection).await?;
    }
    Ok(ledger)
}

impl Way {
    async fn open(&self) -> anyhow::Result<KeyConnection> {
        KeyConnection::to(&self.redis_url, &self.stream).await
    }
}

/// The connection, if it is still good. What was not confirmed is not sent again: a recount tells what arrived.
async fn publish(
    way: &Way,
    connection: Option<KeyConnection>,
    ledger: &mut Ledger,
    second: Vec<Sample>,
) -> Option<KeyConnection> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => way.open().await.ok()?,
    };
    ledger.publish(&mut connection, second).await.is_ok().then_some(connection)
}
