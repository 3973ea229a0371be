//! The tracks and routes of a GPX file, as records.

use std::io::BufRead;
use std::path::Path;

use gpx::{Fix, Waypoint};
use processor_codec::RecordCodec;
use processor_domain::{
    Altitude, Attributes, Coordinates, DeviceId, Heading, Position, Priority, Speed, Timestamp, distance_m,
};
use time::OffsetDateTime;

use crate::line_by_line::LineByLine;
use crate::recording::{Recorded, RecordingError, unreadable};

/// A way over less than this many metres has no direction worth telling: it is the noise of a car that stands.
const LEAST_WAY_M: f64 = 2.0;

/// Reads a whole GPX file. Points without a time cannot be records; they are passed over.
pub(crate) fn records(
    path: &Path,
    text: impl BufRead,
    device_id: Option<DeviceId>,
) -> Result<Vec<Recorded>, RecordingError> {
    let mut text = LineByLine::new(text);
    let file = gpx::read(&mut text).map_err(|cause| match text.failed() {
        Some(kind) => unreadable(path, text.line(), kind.into()),
        None => RecordingError::Gpx { path: path.to_owned(), line: text.line(), cause: Box::new(cause) },
    })?;
    let mut positions = Vec::new();
    for (track, n) in file.tracks.iter().zip(1..) {
        let device_id = device_id.unwrap_or_else(|| device_of(track.name.as_deref(), "track", n));
        for segment in &track.segments {
            positions.extend(way(device_id, &segment.points));
        }
    }
    for (route, n) in file.routes.iter().zip(1..) {
        let device_id = device_id.unwrap_or_else(|| device_of(route.name.as_deref(), "route", n));
        positions.extend(way(device_id, &route.points));
    }
    if positions.is_empty() {
        return Err(RecordingError::NoTimes { path: path.to_owned() });
    }
    // One after the other in the file, the tracks of several cars belong side by side.
    positions.sort_by_key(|position| position.ts);
    let recorded =
        |position: Position| Recorded { at: Some(position.ts), payload: RecordCodec::encode(&position) };
    Ok(positions.into_iter().map(recorded).collect())
}

/// A device named as the track is, as far as a name of a device can be; `track-1` if there is nothing left.
fn device_of(name: Option<&str>, kind: &str, n: u32) -> DeviceId {
    let words = name.unwrap_or_default().split(|letter: char| !letter.is_ascii_graphic());
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let name = &name[..name.len().min(DeviceId::MAX_LENGTH)];
    DeviceId::parse(name)
        .or_else(|_| DeviceId::parse(&format!("{kind}-{n}")))
        .unwrap_or_else(|_| unreachable!("a word and a number are a device id"))
}

/// Points that follow one another without a break.
fn way(device_id: DeviceId, points: &[Waypoint]) -> Vec<Position> {
    let timed: Vec<_> = points.iter().filter_map(|point| Some((place(point)?, point))).collect();
    let position = |i: usize| {
        let (here, point) = timed[i];
        // From the point before to the one after: half a step off at the ends, right in the middle.
        let motion = Motion::between(timed[i.saturating_sub(1)].0, timed[(i + 1).min(timed.len() - 1)].0);
        let sent_kmh = point.speed.map(|metres_per_second| metres_per_second * 3.6);
        Position {
            device_id,
            ts: here.ts,
            received_at: here.ts,
            coordinates: here.coordinates,
            altitude: point.elevation.and_then(|metres| Altitude::from_metres(single(metres))),
            heading: motion.heading_degrees.and_then(|degrees| Heading::from_degrees(single(degrees))),
            speed: sent_kmh.or(motion.speed_kmh).and_then(|kmh| Speed::from_kmh(single(kmh))),
            satellites: satellites(point),
            priority: Priority::Low,
            attributes: dilution(point),
        }
    };
    (0..timed.len()).map(position).collect()
}

/// A place at a time.
#[derive(Clone, Copy)]
struct Passage {
    ts: Timestamp,
    coordinates: Coordinates,
}

fn place(point: &Waypoint) -> Option<Passage> {
    let moment = OffsetDateTime::from(point.time?);
    let ts = Timestamp::from_micros(i64::try_from(moment.unix_timestamp_nanos() / 1_000).ok()?);
    let coordinates = Coordinates::new(point.point().y(), point.point().x()).ok()?;
    Some(Passage { ts, coordinates })
}

/// What two passages tell of the motion between them.
struct Motion {
    speed_kmh: Option<f64>,
    heading_degrees: Option<f64>,
}

impl Motion {
    fn between(from: Passage, to: Passage) -> Self {
        let way_m = distance_m(from.coordinates, to.coordinates);
        let seconds = to.ts.since(from.ts).as_secs_f64();
        Self {
            speed_kmh: (seconds > 0.0).then(|| way_m / seconds * 3.6),
            heading_degrees: (way_m >= LEAST_WAY_M)
                .then(|| bearing_degrees(from.coordinates, to.coordinates)),
        }
    }
}

/// Direction in which the shortest way from one place to another sets out.
fn bearing_degrees(from: Coordinates, to: Coordinates) -> f64 {
    let (from_lat, to_lat) = (from.latitude().to_radians(), to.latitude().to_radians());
    let turn = (to.longitude() - from.longitude()).to_radians();
    let east = turn.sin() * to_lat.cos();
    let north = from_lat.cos() * to_lat.sin() - from_lat.sin() * to_lat.cos() * turn.cos();
    east.atan2(north).to_degrees().rem_euclid(360.0)
}

/// A point that says it has no fix has no satellites.
fn satellites(point: &Waypoint) -> Option<u8> {
    match (&point.fix, point.sat) {
        (Some(Fix::None), _) => Some(0),
        (_, count) => count.and_then(|count| u8::try_from(count).ok()),
    }
}

/// The horizontal dilution of precision as trackers send it: IO 182, in tenths.
fn dilution(point: &Waypoint) -> Attributes {
    let tenths = point.hdop.map(|hdop| (hdop * 10.0).round()).filter(|tenths| (0.0..=500.0).contains(tenths));
    tenths.map_or_else(Attributes::default, |tenths| {
        Attributes::from_canonical_json(format!(r#"{{"182":{tenths}}}"#))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a hundredth of a degree and a centimetre are enough")]
fn single(number: f64) -> f32 {
    // Rounded first, so that the text of the record has the digits that mean something.
    ((number * 100.0).round() / 100.0) as f32
}
