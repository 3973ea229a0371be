//! What two formats have in common: the members of a position in JSON.

use processor_domain::Kept;

use crate::frames::faults;
use crate::text::Text;

/// Device and time: what a position begins with, without braces.
pub(super) fn key(out: &mut Text, kept: &Kept) {
    out.raw(r#""device_id":"#).string(kept.position.device_id.as_str());
    out.raw(r#","timestamp":"#).shown(kept.position.ts);
}

/// Where, as members that follow others.
pub(super) fn place(out: &mut Text, kept: &Kept) {
    out.raw(r#","latitude":"#).number(kept.position.coordinates.latitude());
    out.raw(r#","longitude":"#).number(kept.position.coordinates.longitude());
}

/// All else that is known, as members that follow others.
pub(super) fn others(out: &mut Text, kept: &Kept) {
    let Kept { position, faults: found, faulty } = kept;
    if let Some(altitude) = position.altitude {
        out.raw(r#","altitude":"#).number(altitude.metres());
    }
    if let Some(heading) = position.heading {
        out.raw(r#","angle":"#).number(heading.degrees());
    }
    if let Some(speed) = position.speed {
        out.raw(r#","speed":"#).number(speed.kmh());
    }
    if let Some(satellites) = position.satellites {
        out.raw(r#","satellites":"#).whole(u64::from(satellites));
    }
    out.raw(r#","priority":"#).whole(u64::from(position.priority.number()));
    if !position.attributes.is_empty() {
        out.raw(r#","attributes":"#).raw(position.attributes.as_json());
    }
    out.raw(r#","faulty":"#).bool(*faulty);
    faults(out, *found);
    out.raw(r#","ingested_at":"#).shown(position.received_at);
}
