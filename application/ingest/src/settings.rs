use std::num::NonZeroUsize;
use std::time::Duration;

use crate::BatchTraces;

/// How the ingest river runs.
#[derive(Debug, Clone)]
pub struct IngestSettings {
    /// Writers that commit side by side. More than the store has cores for gains nothing.
    pub writers: NonZeroUsize,
    /// Most positions of one commit. What was read and waits for a writer is committed together up to this
    /// number; nothing waits for it to be reached.
    pub write_at_most: NonZeroUsize,
    /// Batches that may wait between two stages; with those being worked on it bounds what is in flight.
    pub queue: NonZeroUsize,
    /// Devices whose state is kept in memory.
    pub device_capacity: NonZeroUsize,
    /// Devices recalled from the store at the start, the most recent ones.
    pub recall_at_start: usize,
    /// An entry delivered more often than this is set aside: it may be what ends the process each time. Zero
    /// turns this off.
    pub max_deliveries: u32,
    /// How often to look for entries that another consumer left.
    pub reclaim_every: Duration,
    /// Consumers that hold nothing and have asked for nothing for so long are forgotten; `None` turns this off.
    pub forget_after: Option<Duration>,
    /// How often to say that what is in flight is being worked on; several times within the time after which
    /// entries are taken over.
    pub keep_every: Duration,
    /// How often to ask the stream how far the group is, and the store whether it is there.
    pub sample_every: Duration,
    /// How often it is asked what operators say of positions.
    pub marks_every: Duration,
    /// After which time all that was judged before a mark was heard of is in the store; then its positions are
    /// brought in line once more.
    pub align_after: Duration,
    /// Longest wait between two attempts at something that is unavailable.
    pub retry_at_most: Duration,
    /// How to trace batches; `None` is not at all.
    pub traces: Option<BatchTraces>,
}

impl Default for IngestSettings {
    fn default() -> Self {
        const fn count(number: usize) -> NonZeroUsize {
            NonZeroUsize::new(number).expect("not zero")
        }
        Self {
            writers: count(3),
            write_at_most: count(5_000),
            queue: count(2),
            device_capacity: count(100_000),
            recall_at_start: 10_000,
            max_deliveries: 10,
            reclaim_every: Duration::from_secs(15),
            forget_after: Some(Duration::from_hours(24)),
            keep_every: Duration::from_secs(20),
            sample_every: Duration::from_secs(5),
            retry_at_most: Duration::from_secs(2),
            marks_every: Duration::from_secs(1),
            align_after: Duration::from_secs(30),
            traces: None,
        }
    }
}
