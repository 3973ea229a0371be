//! The ingest river: every position of a stream into the store, once, and acknowledged only when it is there.
//!
//! ```text
//!  PositionStream ─► reader ─► judge ─► writer ─► settler ─► acknowledged
//!        (one a stream)  │       │     (several)     │
//!                        │       └ DeviceMemory      └ DeadLetters
//!                        └ reclaimer, keeper, janitor, sampler: by the clock
//! ```
//!
//! Each stage is a task; between them are bounded queues, so that reading ahead, judging, writing and
//! acknowledging overlap, and a store that is away holds the reader back instead of filling the memory. The
//! judge is one task, so that positions are judged in the order of their stream.
//!
//! A record leaves by one of the outcomes of [`processor_domain::Outcome`] or stays pending in its stream. Only
//! an entry with an outcome can be acknowledged: the types see to that.
//!
//! Nothing here knows Redis, SQL or HTTP; [`Ingest::run`] is given the ports.

mod batch;
mod dead_letters;
mod health;
mod ingest;
mod janitor;
mod judge;
mod marks;
mod metrics;
mod reader;
mod settings;
mod settler;
mod timekeepers;
mod trace;
mod writer;

pub use dead_letters::FirstThatKeeps;
pub use health::IngestHealth;
pub use ingest::{Ingest, Ports};
pub use metrics::{IngestMetrics, describe_metrics};
pub use settings::IngestSettings;
pub use trace::{BatchTraces, LinkSpan, MOST_LINKS};
