//! Positions of the past, written in the formats that programs for tracks and tables read, without ever being whole in
//! memory.

mod csv;
mod format;
mod geojson;
#[cfg(test)]
mod golden;
mod gpx;
mod ndjson;
mod stream;
mod words;

pub(crate) use format::Format;
pub(crate) use stream::{Recording, collected, streamed};
