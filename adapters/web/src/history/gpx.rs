//! GPX 1.1.

use std::time::Duration;

use processor_domain::{DeviceId, Kept, Timestamp};

use super::format::Encoder;
use crate::text::Text;

/// A longer time without a position is a gap in the track, not a straight line.
const GAP: Duration = Duration::from_mins(5);

const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="Processor" xmlns="http://www.topografix.com/GPX/1/1" xmlns:p="urn:processor:gpx:1">
"#;

/// A track for each device, in segments between gaps. What the format has no element for is in extensions. A
/// position that is not on Earth cannot be in it, and is left out.
#[derive(Default)]
pub(super) struct Gpx {
    /// The device whose track is open, and the time of its last point.
    open: Option<(DeviceId, Timestamp)>,
}

impl Encoder for Gpx {
    fn begin(&mut self, out: &mut Text) {
        out.raw(BEGIN);
    }

    fn position(&mut self, out: &mut Text, kept: &Kept) {
        let position = &kept.position;
        if !position.coordinates.on_earth() {
            return;
        }
        match self.open {
            Some((device, last)) if device == position.device_id => {
                if position.ts.since(last) > GAP {
                    out.raw("</trkseg>\n<trkseg>\n");
                }
            }
            _ => {
                self.close(out);
                out.raw("<trk><name>");
                escaped(out, position.device_id.as_str());
                out.raw("</name><trkseg>\n");
            }
        }
        self.open = Some((position.device_id, position.ts));
        point(out, kept);
    }

    fn end(&mut self, out: &mut Text) {
        self.close(out);
        out.raw("</gpx>\n");
    }
}

impl Gpx {
    fn close(&mut self, out: &mut Text) {
        if self.open.take().is_some() {
            out.raw("</trkseg></trk>\n");
        }
    }
}

/// The order of elements is that of the schema.
fn point(out: &mut Text, kept: &Kept) {
    let Kept { position, faults, faulty } = kept;
    // The schema knows no exponents; and 180 degrees east only as 180 degrees west.
    let longitude = position.coordinates.longitude();
    let longitude = if longitude >= 180.0 { -180.0 } else { longitude };
    out.raw("<trkpt lat=\"")
        .plain(position.coordinates.latitude())
        .raw("\" lon=\"")
        .plain(longitude)
        .raw("\">");
    if let Some(altitude) = position.altitude {
        out.raw("<ele>").plain(altitude.metres()).raw("</ele>");
    }
    out.raw("<time>").plain(position.ts).raw("</time>");
    if let Some(satellites) = position.satellites {
        out.raw("<sat>").whole(u64::from(satellites)).raw("</sat>");
    }
    out.raw("<extensions>");
    if let Some(speed) = position.speed {
        out.raw("<p:speed>").plain(speed.kmh()).raw("</p:speed>");
    }
    if let Some(heading) = position.heading {
        out.raw("<p:angle>").plain(heading.degrees()).raw("</p:angle>");
    }
    out.raw("<p:faulty>").bool(*faulty).raw("</p:faulty>");
    for fault in faults.iter() {
        out.raw("<p:fault>").raw(fault.name()).raw("</p:fault>");
    }
    out.raw("</extensions></trkpt>\n");
}

/// Text between tags. A name of a device is visible ASCII.
fn escaped(out: &mut Text, text: &str) {
    for part in text.split_inclusive(['&', '<', '>']) {
        let (plain, special) = match part.as_bytes().last() {
            Some(b'&') => (&part[..part.len() - 1], "&amp;"),
            Some(b'<') => (&part[..part.len() - 1], "&lt;"),
            Some(b'>') => (&part[..part.len() - 1], "&gt;"),
            _ => (part, ""),
        };
        out.raw(plain).raw(special);
    }
}
