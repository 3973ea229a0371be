//! Playing a recording.

use std::sync::Arc;
use std::time::Duration;

use processor_domain::Timestamp;
use processor_domain::ports::{Clock, PositionPublisher, PublishError};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::read_ahead::{Chunk, ReadAhead};
use crate::recording::{Recorded, Recording, RecordingError};
use crate::settings::{InvalidPace, Pace, ReplaySettings};
use crate::timeline::Due;
use crate::{moment, read_ahead};

/// Between the last record of a round and the first one of the next, in the time of the recording: so that
/// they do not share a moment.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records published, in all rounds.
    pub records: u64,
    /// Which round it is, from 1 on.
    pub round: u64,
    /// How much of the file was read in this round, in bytes; of a packed file, packed ones.
    pub bytes_read: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Time of the last record published that has one, as it was published.
    pub at: Option<Timestamp>,
}

/// What a replay has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Records published, in all rounds.
    pub records: u64,
    /// How many of them have no time that can be read. They were published as they are.
    pub without_time: u64,
    /// Rounds played to their end.
    pub rounds: u64,
    /// Whether it was told to stop before it was done.
    pub stopped: bool,
}

/// A replay ended early. What was read before the failure was published.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The settings name a pace that is none.
    #[error(transparent)]
    Pace(#[from] InvalidPace),
    /// The recording cannot be read, or not to its end.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The stream did not take records.
    #[error("failed to publish after {records} records")]
    Publish {
        /// Records published before.
        records: u64,
        /// Why.
        #[source]
        cause: PublishError,
    },
}

/// Puts the records of a recording onto a stream, each when it is due.
///
/// Records that are due together are published together. `progress` is called after each time; it must be
/// quick. At any moment there are at most two batches in memory: the one being published and the one read
/// ahead, on a thread that may block.
///
/// Ends when all records are published, or soon after `stop`, whatever it is waiting for. A stream that is slow
/// makes the replay late; it then publishes without waiting until it has caught up.
///
/// # Errors
/// [`ReplayError`] says whether it was the settings, the recording or the stream.
pub async fn replay(
    recording: &Recording,
    publisher: Arc<dyn PositionPublisher>,
    settings: ReplaySettings,
    clock: &dyn Clock,
    progress: impl FnMut(Progress) + Send,
    stop: CancellationToken,
) -> Result<Summary, ReplayError> {
    let pace = settings.pace.checked()?;
    let mut summary = Summary::default();
    let playing = async {
        let origin =
            if settings.shift_to_now { Some(origin(recording, settings, clock).await?) } else { None };
        let batch = settings.batch.get();
        let (started, before) = (Instant::now(), Duration::ZERO);
        Player { recording, publisher, pace, batch, origin, started, before, progress, summary: &mut summary }
            .play(settings.repeat)
            .await
    };
    match stop.run_until_cancelled(playing).await {
        Some(Ok(())) => Ok(summary),
        Some(Err(error)) => Err(error),
        None => Ok(Summary { stopped: true, ..summary }),
    }
}

/// The moment that the start of the recording becomes when its times are moved to the present; in whole
/// milliseconds, as trackers count.
async fn origin(
    recording: &Recording,
    settings: ReplaySettings,
    clock: &dyn Clock,
) -> Result<Timestamp, ReplayError> {
    let mut length = Duration::ZERO;
    if settings.pace.faster_than_real_time() {
        length = read_ahead::length(recording.clone()).await?;
        if settings.repeat {
            tracing::warn!("repeated faster than real time, the records will run ahead of the clock");
        }
    }
    let origin = clock.now().plus(settings.pace.time_for(length)).minus(length);
    Ok(Timestamp::from_millis(origin.millis()))
}

struct Player<'a, P> {
    recording: &'a Recording,
    publisher: Arc<dyn PositionPublisher>,
    pace: Pace,
    batch: usize,
    origin: Option<Timestamp>,
    started: Instant,
    /// How much was played in the rounds before this one, in the time of the recording.
    before: Duration,
    progress: P,
    summary: &'a mut Summary,
}

impl<P: FnMut(Progress) + Send> Player<'_, P> {
    async fn play(&mut self, repeat: bool) -> Result<(), ReplayError> {
        loop {
            let published = self.summary.records;
            let length = self.play_round().await?;
            self.before += length + BETWEEN_ROUNDS;
            self.summary.rounds += 1;
            if !repeat {
                return Ok(());
            }
            // Or else it would go round and round, and never wait.
            if self.summary.records == published {
                return Err(RecordingError::Empty { path: self.recording.path().to_owned() }.into());
            }
        }
    }

    /// Plays the recording once; how long it is, in its own time.
    async fn play_round(&mut self) -> Result<Duration, ReplayError> {
        let mut chunks = ReadAhead::start(self.recording.clone(), self.batch);
        loop {
            let chunk = chunks.next().await;
            let shift_micros = self.shift_micros(&chunk);
            let mut rest = chunk.due.into_iter();
            while let Some(first) = rest.as_slice().first() {
                sleep_until(self.moment(first)).await;
                let now = Instant::now();
                let count = rest.as_slice().partition_point(|due| self.moment(due) <= now).max(1);
                self.publish(rest.by_ref().take(count), shift_micros, chunk.bytes_read).await?;
            }
            match chunk.end {
                None => {}
                Some(Ok(())) => return Ok(chunk.elapsed),
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// When to publish.
    fn moment(&self, due: &Due) -> Instant {
        self.started + self.pace.time_for(self.before + due.after)
    }

    async fn publish(
        &mut self,
        due: impl Iterator<Item = Due>,
        shift_micros: Option<i64>,
        bytes_read: u64,
    ) -> Result<(), ReplayError> {
        let records: Vec<_> = due.map(|Due { record, .. }| shifted(record, shift_micros)).collect();
        let at = records.iter().rev().find_map(|record| record.at);
        let without_time = records.iter().filter(|record| record.at.is_none()).count();
        let payloads: Vec<_> = records.into_iter().map(|record| record.payload).collect();
        self.publisher
            .publish(&payloads)
            .await
            .map_err(|cause| ReplayError::Publish { records: self.summary.records, cause })?;
        self.summary.records += payloads.len() as u64;
        self.summary.without_time += without_time as u64;
        let Summary { records, rounds, .. } = *self.summary;
        let (round, bytes) = (rounds + 1, self.recording.bytes());
        (self.progress)(Progress { records, round, bytes_read, bytes, at });
        Ok(())
    }

    /// By how much the times of these records move.
    fn shift_micros(&self, chunk: &Chunk) -> Option<i64> {
        let origin = self.origin?.plus(self.before);
        Some(origin.micros().saturating_sub(chunk.start?.micros()))
    }
}

/// The record with its time moved, if there is one to move.
fn shifted(record: Recorded, by_micros: Option<i64>) -> Recorded {
    let moved = by_micros.and_then(|micros| {
        let at = Timestamp::from_micros(record.at?.micros().saturating_add(micros));
        Some(Recorded { at: Some(at), payload: moment::moved(&record.payload, micros)? })
    });
    moved.unwrap_or(record)
}
