//! The stages put together.

use std::sync::Arc;

use processor_domain::DeviceStates;
use processor_domain::ports::{
    Clock, ConsumerGroup, DeadLetterQueue, DeadLetters, DeviceMemory, Marks, PositionStore, PositionStream,
};
use processor_domain::rules::RuleSet;
use processor_tasks::{TaskEnded, Tasks};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::batch::Waiting;
use crate::health::IngestHealth;
use crate::judge::Judge;
use crate::marks::{self, News};
use crate::metrics::IngestMetrics;
use crate::settings::IngestSettings;
use crate::settler::Settler;
use crate::writer::Writer;
use crate::{janitor, reader, timekeepers};

/// What the river needs of the outside world.
#[derive(Clone)]
pub struct Ports {
    /// The streams to read, each on its own.
    pub streams: Vec<Arc<dyn PositionStream>>,
    /// Their groups, to be kept free of consumers that are gone.
    pub groups: Vec<Arc<dyn ConsumerGroup>>,
    /// Where positions go.
    pub store: Arc<dyn PositionStore>,
    /// What is known of devices that are not in memory.
    pub memory: Arc<dyn DeviceMemory>,
    /// What operators say of positions.
    pub marks: Arc<dyn Marks>,
    /// Where records go that cannot be positions.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Those that are there, to be counted: on the streams, and in the table.
    pub dead_letter_queues: [Arc<dyn DeadLetterQueue>; 2],
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

impl Ingest {
    /// A river between these ports, judging by these rules.
    #[must_use]
    pub fn new(ports: Ports, rules: RuleSet, settings: IngestSettings) -> Self {
        let health = Arc::new(IngestHealth::default());
        for stream in &ports.streams {
            health.stream(stream.name());
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
        self.start(stop.clone()).run(stop).await
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
        if let Some(gone_after) = shared.settings.forget_after {
            for group in ports.groups {
                let name = format!("janitor of {}", group.stream());
                tasks.start(name, janitor::forget(group, gone_after, Arc::clone(&shared), stop.clone()));
            }
        }
        let news = Arc::new(News::default());
        let judge = Judge {
            news: Arc::clone(&news),
            states: DeviceStates::new(shared.settings.device_capacity),
            rules,
            memory: ports.memory,
            store: Arc::clone(&ports.store),
            pulse: shared.health.pulses().of("judge"),
            shared: Arc::clone(&shared),
        };
        tasks.start("marks", marks::hear(ports.marks, news, Arc::clone(&shared), stop.clone()));
        tasks.start("judge", judge.run(reads, batch, stop.clone()));
        let waiting = Arc::new(Mutex::new(Waiting::new(batches)));
        for number in 1..=shared.settings.writers.get() {
            let name = format!("writer {number}");
            let (store, pulse) = (Arc::clone(&ports.store), shared.health.pulses().of(name.clone()));
            let writer = Writer { store, pulse, shared: Arc::clone(&shared) };
            tasks.start(name, writer.run(Arc::clone(&waiting), written.clone(), stop.clone()));
        }
        let settler = Settler {
            dead_letters: ports.dead_letters,
            pulse: shared.health.pulses().of("settler"),
            shared: Arc::clone(&shared),
        };
        tasks.start("settler", settler.run(to_settle, stop.clone()));
        let names = ports.streams.iter().map(|stream| stream.name().to_owned()).collect();
        tasks.start(
            "counter of dead letters",
            timekeepers::count_dead_letters(
                ports.dead_letter_queues,
                names,
                Arc::clone(&shared),
                stop.clone(),
            ),
        );
        tasks.start("sampler", timekeepers::sample(ports.streams, ports.store, ports.clock, shared, stop));
        tasks
    }
}
