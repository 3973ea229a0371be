//! `GeoJSON`.

use processor_domain::Kept;

use super::format::Encoder;
use super::words::{key, others, place};
use crate::text::Text;

/// A `FeatureCollection` with a point for each position. One that is not on Earth has no geometry, but its numbers
/// as properties. The altitude is a property as well, because a third coordinate would be above the ellipsoid and
/// not above sea level.
#[derive(Default)]
pub(super) struct GeoJson {
    begun: bool,
}

impl Encoder for GeoJson {
    fn begin(&mut self, out: &mut Text) {
        out.raw("{\"type\":\"FeatureCollection\",\"features\":[\n");
    }

    fn position(&mut self, out: &mut Text, kept: &Kept) {
        if std::mem::replace(&mut self.begun, true) {
            out.raw(",\n");
        }
        let coordinates = kept.position.coordinates;
        out.raw(r#"{"type":"Feature","geometry":"#);
        if coordinates.on_earth() {
            out.raw(r#"{"type":"Point","coordinates":["#).number(coordinates.longitude());
            out.raw(",").number(coordinates.latitude()).raw("]}");
        } else {
            out.raw("null");
        }
        out.raw(r#","properties":{"#);
        key(out, kept);
        if !coordinates.on_earth() {
            place(out, kept);
        }
        others(out, kept);
        out.raw("}}");
    }

    fn end(&mut self, out: &mut Text) {
        out.raw("\n]}\n");
    }
}
