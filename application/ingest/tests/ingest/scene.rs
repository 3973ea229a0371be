use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use processor_domain::ports::{
    MockDeadLetterQueue, MockDeadLetters, MockDeviceMemory, MockMarks, MockPositionStore, MockPositionStream,
    PositionStream, StoreError, StoreFailure, StreamError, SystemClock, Verdict,
};
use processor_domain::rules::RuleSet;
use processor_domain::{DeadLetterReason, Delivery, EntryId, Position, Receipt, Record, Standing, samples};
use processor_ingest::{Ingest, IngestSettings, Ports};
use processor_tasks::TaskEnded;
use tokio_util::sync::CancellationToken;

/// What happened, in order.
pub(crate) type Story = Arc<Mutex<Vec<String>>>;

pub(crate) struct Scene {
    pub(crate) story: Story,
    pub(crate) batches: Vec<Vec<Delivery>>,
    pub(crate) store: MockPositionStore,
    pub(crate) memory: MockDeviceMemory,
    pub(crate) marks: MockMarks,
    pub(crate) dead_letters: MockDeadLetters,
    /// On the stream, and in the table.
    pub(crate) dead_letter_queues: [MockDeadLetterQueue; 2],
    acknowledgements: usize,
    pub(crate) refuse_acknowledgements: usize,
    pub(crate) settings: IngestSettings,
}

fn entry(number: u64) -> EntryId {
    EntryId { millis: 1_777_629_600_000, sequence: number }
}

pub(crate) fn delivery(number: u64, record: Record) -> Delivery {
    Delivery { receipt: Receipt::of(entry(number)), record, deliveries: 1, trace_parent: None }
}

pub(crate) fn position(number: u64) -> Position {
    samples::position().device(number).build()
}

pub(crate) fn positions(numbers: std::ops::Range<u64>) -> Vec<Delivery> {
    numbers.map(|number| delivery(number, Record::Position(position(number)))).collect()
}

pub(crate) fn undecodable(number: u64) -> Delivery {
    let record = Record::Undecodable {
        reason: DeadLetterReason::NotJson,
        detail: "not JSON".into(),
        payload: b"?".as_slice().into(),
    };
    delivery(number, record)
}

pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable { kind: StoreFailure::Connection, cause: "gone".into() }
}

impl Scene {
    /// A store that stores all, a memory that knows nothing, dead letters that are kept.
    pub(crate) fn of(batches: Vec<Vec<Delivery>>) -> Self {
        let acknowledgements = batches.iter().map(Vec::len).sum();
        let story = Story::default();
        let mut memory = MockDeviceMemory::new();
        memory.expect_recall_recent().returning(|_| Ok(vec![]));
        let mut all_there = MockPositionStore::new();
        all_there.expect_ping().returning(|| Ok(()));
        Self {
            story,
            batches,
            store: all_there,
            memory,
            marks: MockMarks::none(),
            dead_letters: MockDeadLetters::new(),
            dead_letter_queues: std::array::from_fn(|_| {
                let mut queue = MockDeadLetterQueue::new();
                queue.expect_count().returning(|_, _| Ok(0));
                queue
            }),
            acknowledgements,
            refuse_acknowledgements: 0,
            settings: IngestSettings { sample_every: Duration::from_hours(1), ..IngestSettings::default() },
        }
    }

    pub(crate) fn knowing_no_device(mut self) -> Self {
        self.memory.expect_recall().returning(|_| Ok(vec![]));
        self
    }

    pub(crate) fn storing_all(mut self) -> Self {
        let story = Arc::clone(&self.story);
        self.store.expect_commit().returning(move |batch| {
            story.lock().unwrap().push(format!("commit {}", batch.len()));
            Ok(vec![Verdict::Stored; batch.len()])
        });
        self
    }

    pub(crate) fn keeping_dead_letters(mut self) -> Self {
        let story = Arc::clone(&self.story);
        self.dead_letters.expect_keep().returning(move |letters| {
            let reasons: Vec<_> = letters.iter().map(|letter| letter.reason.name()).collect();
            story.lock().unwrap().push(format!("dead letters {}", reasons.join(" ")));
            Ok(())
        });
        self
    }

    /// As the program runs, looking at how far it is every few seconds.
    pub(crate) fn with_usual_settings(mut self) -> Self {
        self.settings = IngestSettings::default();
        self
    }

    /// The river between these ports, on this stream.
    pub(crate) fn river(self, stream: Arc<dyn PositionStream>) -> Ingest {
        let ports = Ports {
            streams: vec![stream],
            groups: vec![],
            store: Arc::new(self.store),
            memory: Arc::new(self.memory),
            marks: Arc::new(self.marks),
            dead_letters: Arc::new(self.dead_letters),
            dead_letter_queues: self.dead_letter_queues.map(|queue| Arc::new(queue) as _),
            clock: Arc::new(SystemClock),
        };
        Ingest::new(ports, RuleSet::standard(), self.settings)
    }

    /// Runs until as many entries are acknowledged as expected, then stops.
    pub(crate) async fn play(mut self) -> (Result<(), TaskEnded>, Vec<String>, Counters) {
        let stop = CancellationToken::new();
        let stream = stream(
            std::mem::take(&mut self.batches),
            Arc::clone(&self.story),
            self.acknowledgements,
            self.refuse_acknowledgements,
            stop.clone(),
        );
        let recorder = DebuggingRecorder::new();
        let story = Arc::clone(&self.story);
        let ingest = metrics::with_local_recorder(&recorder, || self.river(stream));
        let ended = tokio::time::timeout(Duration::from_mins(10), ingest.run(stop)).await.expect("it stops");
        let story = story.lock().unwrap().clone();
        (ended, story, counters(&recorder))
    }
}

/// A stream that delivers `batches` and then nothing, and stops the river when all is acknowledged.
pub(crate) fn stream(
    batches: Vec<Vec<Delivery>>,
    story: Story,
    acknowledgements: usize,
    mut refuse: usize,
    stop: CancellationToken,
) -> Arc<dyn PositionStream> {
    let mut stream = MockPositionStream::new();
    let batches = Arc::new(Mutex::new(VecDeque::from(batches)));
    let reads = Arc::clone(&story);
    stream.expect_name().return_const("telemetry".to_owned());
    stream.expect_next_batch().returning(move || {
        let Some(batch) = batches.lock().unwrap().pop_front() else {
            std::thread::yield_now();
            return Err(StreamError::Unavailable("the script is over".into()));
        };
        reads.lock().unwrap().push(format!("read {}", batch.len()));
        Ok(batch)
    });
    let mut done = 0;
    if acknowledgements == 0 {
        stop.cancel();
    }
    stream.expect_acknowledge().returning(move |settled| {
        if refuse > 0 {
            refuse -= 1;
            story.lock().unwrap().push("acknowledge fails".into());
            return Err(StreamError::Unavailable("gone".into()));
        }
        let mut outcomes: Vec<_> = settled.iter().map(|settled| settled.outcome().name()).collect();
        outcomes.dedup();
        story.lock().unwrap().push(format!("acknowledge {} {}", settled.len(), outcomes.join(" ")));
        done += settled.len();
        if done >= acknowledgements {
            stop.cancel();
        }
        Ok(())
    });
    stream.expect_reclaim().returning(|| Ok(vec![]));
    stream.expect_keep_in_flight().returning(|| Ok(()));
    stream.expect_standing().returning(|| Ok(Standing::default()));
    Arc::new(stream)
}

/// Every counter, by its name and the value of its label if it has one.
pub(crate) type Counters = HashMap<(String, Option<String>), u64>;

fn counters(recorder: &DebuggingRecorder) -> Counters {
    let all = recorder.snapshotter().snapshot().into_vec();
    all.into_iter()
        .filter_map(|(key, _, _, value)| {
            let label = key.key().labels().next().map(|label| label.value().to_owned());
            let DebugValue::Counter(count) = value else { return None };
            Some(((key.key().name().to_owned(), label), count))
        })
        .collect()
}

pub(crate) fn counted(counters: &Counters, name: &str, label: Option<&str>) -> u64 {
    counters[&(name.to_owned(), label.map(str::to_owned))]
}
