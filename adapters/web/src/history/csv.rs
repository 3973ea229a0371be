//! CSV.

use processor_domain::Kept;

use super::format::Encoder;
use crate::text::Text;

const HEADER: &str = "device_id,timestamp,latitude,longitude,altitude,angle,speed,satellites,priority,faulty,faults,\
                      ingested_at,attributes\r\n";

/// A table as in RFC 4180, with a header. What is not known is empty; faults have spaces in between.
///
/// Spreadsheets take text for a formula that begins as one does. Such a text has an apostrophe in front, and so has
/// one that begins with an apostrophe, so that whoever takes one away has what was there.
pub(super) struct Csv;

impl Encoder for Csv {
    fn begin(&mut self, out: &mut Text) {
        out.raw(HEADER);
    }

    fn position(&mut self, out: &mut Text, kept: &Kept) {
        let Kept { position, faults, faulty } = kept;
        text(out, position.device_id.as_str());
        out.raw(",").plain(position.ts);
        out.raw(",").number(position.coordinates.latitude());
        out.raw(",").number(position.coordinates.longitude()).raw(",");
        if let Some(altitude) = position.altitude {
            out.number(altitude.metres());
        }
        out.raw(",");
        if let Some(heading) = position.heading {
            out.number(heading.degrees());
        }
        out.raw(",");
        if let Some(speed) = position.speed {
            out.number(speed.kmh());
        }
        out.raw(",");
        if let Some(satellites) = position.satellites {
            out.whole(u64::from(satellites));
        }
        out.raw(",").whole(u64::from(position.priority.number()));
        out.raw(",").bool(*faulty).raw(",");
        for (at, fault) in faults.iter().enumerate() {
            out.raw(if at == 0 { "" } else { " " }).raw(fault.name());
        }
        out.raw(",").plain(position.received_at).raw(",");
        if !position.attributes.is_empty() {
            text(out, position.attributes.as_json());
        }
        out.raw("\r\n");
    }

    fn end(&mut self, _: &mut Text) {}
}

/// Text, in quotes if it needs them.
fn text(out: &mut Text, text: &str) {
    let guard = if text.starts_with(['=', '+', '-', '@', '\'', '\t', '\r']) { "'" } else { "" };
    if !text.contains([',', '"', '\r', '\n']) {
        out.raw(guard).raw(text);
        return;
    }
    out.raw("\"").raw(guard);
    for part in text.split_inclusive('"') {
        out.raw(part);
        if part.ends_with('"') {
            out.raw("\"");
        }
    }
    out.raw("\"");
}
