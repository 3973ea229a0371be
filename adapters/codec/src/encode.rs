//! A position to a record in the wire format.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use processor_domain::{Altitude, Heading, Position, Speed};

use crate::scan::Cursor;
use crate::{shape, text};

/// Bytes of a usual record without its attributes, and some to spare.
const ROOM_BESIDE_ATTRIBUTES: usize = 224;

pub(crate) fn record(position: &Position) -> Box<[u8]> {
    let attributes = attributes(position.attributes.as_json());
    let mut out = String::with_capacity(ROOM_BESIDE_ATTRIBUTES + attributes.len());
    out.push_str("{\"device_id\":");
    text::push_quoted(&mut out, position.device_id.as_str());
    push_field(&mut out, "timestamp", format_args!("\"{}\"", position.ts));
    push_field(&mut out, "latitude", position.coordinates.latitude());
    push_field(&mut out, "longitude", position.coordinates.longitude());
    let numbers = [
        ("altitude", position.altitude.map(Altitude::metres)),
        ("angle", position.heading.map(Heading::degrees)),
        ("speed", position.speed.map(Speed::kmh)),
        ("satellites", position.satellites.map(f32::from)),
        ("priority", Some(f32::from(position.priority.number()))),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            push_field(&mut out, name, number);
        }
    }
    push_field(&mut out, "attributes", &attributes);
    out.push('}');
    out.into_bytes().into()
}

/// Canonical attributes as they are written on the wire: as they are, with one exception. The base64 text of bytes
/// may look like a big integer (`123n`), and would be read as one; such bytes are written as bytes again.
fn attributes(json: &str) -> Cow<'_, str> {
    if memchr::memmem::find(json.as_bytes(), b"n\"").is_none() {
        return json.into();
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'"', rest.as_bytes()) {
        let Some(string) = Cursor::new(&rest[at..]).string() else { break };
        let (before, after) = (&rest[..at], &rest[at + string.len()..]);
        let is_name = after.starts_with(':');
        let is_bytes = !is_name && text::content(string).and_then(shape::suffixed_integer).is_some();
        let (open, close) = if is_bytes { (r#"{"__buffer_b64":"#, "}") } else { ("", "") };
        out.extend([before, open, string, close]);
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

fn push_field(out: &mut String, name: &str, value: impl fmt::Display) {
    out.extend([",\"", name, "\":"]);
    write!(out, "{value}").expect("a string takes any text");
}
