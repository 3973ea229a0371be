//! Reading on a thread that may block, one chunk ahead.

use std::time::Duration;

use processor_domain::Timestamp;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::recording::{Recording, RecordingError, Records};
use crate::timeline::{Due, Timeline};

/// Some records of a recording.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) due: Vec<Due>,
    /// How the recording ends, if it does so after these.
    pub(crate) end: Option<Result<(), RecordingError>>,
    /// The time at which the recording starts, if one is known.
    pub(crate) start: Option<Timestamp>,
    /// How far the recording has come with these, in its own time.
    pub(crate) elapsed: Duration,
    pub(crate) bytes_read: u64,
}

/// The chunks of a recording: while one is in use the next one is being read.
pub(crate) struct ReadAhead {
    reading: JoinHandle<(Option<Reader>, Chunk)>,
    size: usize,
}

type Reader = Timeline<Records, RecordingError>;

impl ReadAhead {
    /// Chunks of at most `size` records.
    pub(crate) fn start(recording: Recording, size: usize) -> Self {
        let reading = spawn_blocking(move || match recording.records() {
            Ok(records) => read(Timeline::new(records), size),
            Err(error) => (None, Chunk::end(Err(error))),
        });
        Self { reading, size }
    }

    /// The next chunk. After the one that says how the recording ends there are only empty ones.
    pub(crate) async fn next(&mut self) -> Chunk {
        let (reader, chunk) = (&mut self.reading).await.unwrap_or_else(|error| panicked(error));
        let size = self.size;
        self.reading = match reader {
            Some(reader) => spawn_blocking(move || read(reader, size)),
            None => spawn_blocking(|| (None, Chunk::end(Ok(())))),
        };
        chunk
    }
}

impl Chunk {
    fn end(end: Result<(), RecordingError>) -> Self {
        Self { due: Vec::new(), end: Some(end), start: None, elapsed: Duration::ZERO, bytes_read: 0 }
    }
}

fn read(mut reader: Reader, size: usize) -> (Option<Reader>, Chunk) {
    let mut due = Vec::new();
    let end = loop {
        match reader.next() {
            Some(Ok(record)) => due.push(record),
            Some(Err(error)) => break Some(Err(error)),
            None => break Some(Ok(())),
        }
        if due.len() >= size {
            break None;
        }
    };
    let (start, elapsed, bytes_read) = (reader.start(), reader.elapsed(), reader.records().bytes_read());
    (end.is_none().then_some(reader), Chunk { due, end, start, elapsed, bytes_read })
}

/// How long a recording is, in its own time. Reads it to its end or to where it is damaged: what is before that
/// will be played.
pub(crate) async fn length(recording: Recording) -> Result<Duration, RecordingError> {
    let measure = move || {
        let mut reader = Timeline::new(recording.records()?);
        while let Some(Ok(_)) = reader.next() {}
        Ok(reader.elapsed())
    };
    spawn_blocking(measure).await.unwrap_or_else(|error| panicked(error))
}

/// A panic in the reader is one of this program; and a reader is never told to stop.
fn panicked(error: JoinError) -> ! {
    std::panic::resume_unwind(error.into_panic())
}
