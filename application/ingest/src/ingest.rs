//! The stages put together.

use std::collections::HashMap;
use std::sync::Arc;

use processor_domain::DeviceStates;
use processor_domain::ports::{Clock, DeadLetters, DeviceMemory, PositionStore, PositionStream};
use processor_domain::rules::RuleSet;
use tokio::sync::{Mutex, mpsc};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::health::IngestHealth;
use crate::judge::Judge;
use crate::metrics::IngestMetrics;
use crate::settings::IngestSettings;
use crate::settler::Settler;
use crate::writer::Writer;
use crate::{reader, timekeepers};

/// What the river needs of the outside world.
#[derive(Clone)]
pub struct Ports {
    /// The streams to read, each on its own.
    pub streams: Vec<Arc<dyn PositionStream>>,
    /// Where positions go.
    pub store: Arc<dyn PositionStore>,
    /// What is known of devices that are not in memory.
    pub memory: Arc<dyn DeviceMemory>,
    /// Where records go that cannot be positions.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Now, for ages.
    pub clock: Arc<dyn Clock>,
}

/// The ingest river, ready to run.
pub struct Ingest {
    ports: Ports,
    rules: RuleSet,
    shared: Arc<Shared>,
}

/// What every stage uses.
pub(crate) struct Shared {
    pub(crate) settings: IngestSettings,
    pub(crate) metrics: IngestMetrics,
    pub(crate) health: Arc<IngestHealth>,
}

/// A task of the river ended although nobody had asked it to.
#[derive(Debug, thiserror::Error)]
#[error("the task \"{task}\" ended: {how}")]
pub struct TaskEnded {
    /// Its name.
    pub task: String,
    /// How it ended.
    pub how: String,
}

impl Ingest {
    /// A river between these ports, judging by these rules.
    #[must_use]
    pub fn new(ports: Ports, rules: RuleSet, settings: IngestSettings) -> Self {
        let health = Arc::new(IngestHealth::default());
        for stream in &ports.streams {
            health.stream(stream.name(), false);
        }
        Self {
            ports,
            rules,
            shared: Arc::new(Shared { settings, metrics: IngestMetrics::default(), health }),
        }
    }

    /// Its health, to be looked at while it runs.
    #[must_use]
    pub fn health(&self) -> Arc<IngestHealth> {
        Arc::clone(&self.shared.health)
    }

    /// Runs until `stop` is cancelled; then reads no more, writes and acknowledges what is in hand, and
    /// returns. What cannot be written then, because the store is away, stays pending in its stream.
    ///
    /// # Cancel safety
    /// Not cancel safe: to stop it, cancel `stop` and wait.
    ///
    /// # Errors
    /// [`TaskEnded`] if a task ended before `stop` was cancelled, by a panic or otherwise. The others are
    /// stopped as by `stop`.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskEnded> {
        let mut tasks = self.start(stop.clone());
        let mut ended = Ok(());
        while let Some((name, how)) = tasks.next().await {
            if !stop.is_cancelled() {
                ended = Err(TaskEnded { task: name, how });
                stop.cancel();
            } else if how != FINISHED {
                tracing::error!(task = name, how, "a task did not end as it should");
            }
        }
        ended
    }

    fn start(self, stop: CancellationToken) -> Tasks {
        let Self { ports, rules, shared } = self;
        let queue = shared.settings.queue.get();
        let (read, reads) = mpsc::channel(queue);
        let (batch, batches) = mpsc::channel(queue);
        let (written, to_settle) = mpsc::channel(queue);

        let mut tasks = Tasks::default();
        for stream in &ports.streams {
            let name = stream.name().to_owned();
            tasks.start(
                format!("reader of {name}"),
                reader::read(Arc::clone(stream), read.clone(), Arc::clone(&shared), stop.clone()),
            );
            tasks.start(
                format!("reclaimer of {name}"),
                timekeepers::reclaim(Arc::clone(stream), read.clone(), Arc::clone(&shared), stop.clone()),
            );
            tasks.start(
                format!("keeper of {name}"),
                timekeepers::keep(Arc::clone(stream), Arc::clone(&shared), stop.clone()),
            );
        }
        let judge = Judge {
            states: DeviceStates::new(shared.settings.device_capacity),
            rules,
            memory: ports.memory,
            store: Arc::clone(&ports.store),
            shared: Arc::clone(&shared),
        };
        tasks.start("judge", judge.run(reads, batch, stop.clone()));
        let batches = Arc::new(Mutex::new(batches));
        for number in 1..=shared.settings.writers.get() {
            let name = format!("writer {number}");
            let (store, pulse) = (Arc::clone(&ports.store), shared.health.pulse(name.clone()));
            let writer = Writer { store, pulse, shared: Arc::clone(&shared) };
            tasks.start(name, writer.run(Arc::clone(&batches), written.clone(), stop.clone()));
        }
        let settler = Settler { dead_letters: ports.dead_letters, shared: Arc::clone(&shared) };
        tasks.start("settler", settler.run(to_settle, stop.clone()));
        tasks.start("sampler", timekeepers::sample(ports.streams, ports.store, ports.clock, shared, stop));
        tasks
    }
}

/// Tasks by name.
#[derive(Default)]
struct Tasks {
    set: JoinSet<()>,
    names: HashMap<Id, String>,
}

const FINISHED: &str = "it had nothing left to do";

impl Tasks {
    fn start(&mut self, name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.set.spawn(task).id();
        self.names.insert(id, name.into());
    }

    /// The next task to end, and how it did.
    async fn next(&mut self) -> Option<(String, String)> {
        let (id, how) = match self.set.join_next_with_id().await? {
            Ok((id, ())) => (id, FINISHED.to_owned()),
            Err(error) => (error.id(), error.to_string()),
        };
        Some((self.names.remove(&id).unwrap_or_default(), how))
    }
}
