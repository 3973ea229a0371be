//! A file of records.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use processor_domain::{DeviceId, Timestamp};

use crate::source::{BytesRead, Source};
use crate::{moment, track};

/// Longest line that is taken for a record. The record codec refuses far shorter ones; this only keeps a file
/// without line ends from filling the memory.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// A file of records: which one, and of which form.
///
/// It holds no open file: [`Self::records`] reads from the beginning each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    path: PathBuf,
    format: Format,
    bytes: u64,
    device_id: Option<DeviceId>,
}

/// The form of a recording, packed with gzip or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Records in the wire format, one a line; read as a stream, whatever its size.
    Ndjson,
    /// Tracks and routes with times; read into memory as a whole.
    Gpx,
}

/// One record of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its own time, if it has one.
    pub at: Option<Timestamp>,
    /// The text of the record in the wire format. It may be anything: lines are not checked.
    pub payload: Box<[u8]>,
}

/// A recording could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file is not there, or may not be read.
    #[error("{} cannot be opened", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// There is nothing in it.
    #[error("{} has no records in it", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A packed file that ends too early. The whole lines before the end were read.
    #[error("{}, line {line}: the file ends here, and it is incomplete", path.display())]
    Incomplete {
        /// Which file.
        path: PathBuf,
        /// The line in which it ends, from 1 on.
        line: u64,
    },
    /// The file could not be read on.
    #[error("{}, line {line}: cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The first line that could not be read, from 1 on.
        line: u64,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A line far longer than any record.
    #[error("{}, line {line}: longer than {MAX_LINE_BYTES} bytes, so this is no file of records", path.display())]
    LineTooLong {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1 on.
        line: u64,
    },
    /// XML that is not GPX, or GPX that is not understood.
    #[error("{}, line {line}: not understood as GPX", path.display())]
    Gpx {
        /// Which file.
        path: PathBuf,
        /// Up to which line it was read, from 1 on.
        line: u64,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A GPX file that does not say when anybody was anywhere.
    #[error("{} has no track or route with times", path.display())]
    NoTimes {
        /// Which file.
        path: PathBuf,
    },
}

impl Recording {
    /// Looks at a file: what is in it is told by its content, whatever its name.
    ///
    /// # Errors
    /// [`RecordingError`] if it cannot be opened or read, or is empty.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RecordingError> {
        let path = path.into();
        let (mut source, bytes) =
            match Source::open(&path).and_then(|source| Ok((source, path.metadata()?.len()))) {
                Ok(opened) => opened,
                Err(cause) => return Err(unopened(path, cause)),
            };
        match source.first_visible_byte() {
            Ok(Some(b'<')) => Ok(Self { path, format: Format::Gpx, bytes, device_id: None }),
            Ok(Some(_)) => Ok(Self { path, format: Format::Ndjson, bytes, device_id: None }),
            Ok(None) => Err(RecordingError::Empty { path }),
            Err(cause) => Err(unreadable(&path, 1, cause)),
        }
    }

    /// The same, with all points of a GPX file taken for points of this device. Without it each track and each
    /// route is a device of its own, named as the track is or else by its number.
    ///
    /// Lines name their device themselves; nothing changes for them.
    #[must_use]
    pub fn of_device(self, device_id: DeviceId) -> Self {
        Self { device_id: Some(device_id), ..self }
    }

    /// Which file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of which form it is.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Size of the file in bytes, packed if it is packed.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The records from the beginning. Reading blocks the thread.
    ///
    /// # Errors
    /// [`RecordingError`] if the file cannot be opened or, for GPX, not be understood.
    pub fn records(&self) -> Result<Records, RecordingError> {
        let source = Source::open(&self.path).map_err(|cause| unopened(self.path.clone(), cause))?;
        let rest = match self.format {
            Format::Ndjson => {
                Rest::Lines { text: source.text, bytes_read: source.bytes_read, line: 0, ended: false }
            }
            Format::Gpx => {
                let records = track::records(&self.path, source.text, self.device_id)?;
                Rest::Points { count: records.len(), records: records.into_iter() }
            }
        };
        Ok(Records { path: self.path.clone(), bytes: self.bytes, rest })
    }
}

/// The records of a recording, in the order of the file; those of a GPX file in the order of their times.
///
/// After an error there are no more.
pub struct Records {
    path: PathBuf,
    bytes: u64,
    rest: Rest,
}

enum Rest {
    Lines { text: Box<dyn BufRead + Send>, bytes_read: BytesRead, line: u64, ended: bool },
    Points { records: std::vec::IntoIter<Recorded>, count: usize },
}

impl Records {
    /// How much of [`Recording::bytes`] has been read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        match &self.rest {
            Rest::Lines { bytes_read, .. } => bytes_read.get(),
            // It was read as a whole; what counts is how much of it was handed out.
            Rest::Points { records, count } => {
                let given = (count - records.len()) as u64;
                self.bytes.saturating_mul(given) / (*count as u64).max(1)
            }
        }
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Records")
            .field("path", &self.path)
            .field("bytes_read", &self.bytes_read())
            .finish_non_exhaustive()
    }
}

impl Iterator for Records {
    type Item = Result<Recorded, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rest {
            Rest::Points { records, .. } => records.next().map(Ok),
            Rest::Lines { ended: true, .. } => None,
            Rest::Lines { text, line, ended, .. } => {
                let record = next_line(&self.path, text, line);
                *ended = !matches!(record, Some(Ok(_)));
                record
            }
        }
    }
}

/// The next line that is not blank; `line` is the number of the line read last.
fn next_line(
    path: &Path,
    text: &mut Box<dyn BufRead + Send>,
    line: &mut u64,
) -> Option<Result<Recorded, RecordingError>> {
    loop {
        *line += 1;
        let mut bytes = Vec::new();
        match text.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(length) if length as u64 > MAX_LINE_BYTES => {
                return Some(Err(RecordingError::LineTooLong { path: path.to_owned(), line: *line }));
            }
            Ok(_) => {}
            Err(cause) => return Some(Err(unreadable(path, *line, cause))),
        }
        let payload = bytes.trim_ascii();
        if !payload.is_empty() {
            return Some(Ok(Recorded { at: moment::of(payload), payload: payload.into() }));
        }
    }
}

/// A packed file that is too short for its own head cannot be opened, either.
fn unopened(path: PathBuf, cause: io::Error) -> RecordingError {
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => RecordingError::Incomplete { path, line: 1 },
        _ => RecordingError::Open { path, cause },
    }
}

pub(crate) fn unreadable(path: &Path, line: u64, cause: io::Error) -> RecordingError {
    let path = path.to_owned();
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => RecordingError::Incomplete { path, line },
        _ => RecordingError::Read { path, line, cause },
    }
}
