//! Recordings, played back onto a stream.
//!
//! A [`Recording`] is a file: records in the wire format, one a line (NDJSON), or the tracks and routes of a GPX
//! file, either of them packed with gzip or not. [`replay`] puts its records onto a stream through the port
//! [`PositionPublisher`](processor_domain::ports::PositionPublisher) at the [`Pace`] asked for, and can move
//! their times to the present.
//!
//! Lines are passed on as they are, so that a bad line ends where a bad record of a real stream does.

mod line_by_line;
mod moment;
mod read_ahead;
mod recording;
mod replay;
mod settings;
mod source;
mod timeline;
mod track;

pub use recording::{Format, Recorded, Recording, RecordingError, Records};
pub use replay::{Progress, ReplayError, Summary, replay};
pub use settings::{InvalidPace, Pace, ReplaySettings};
