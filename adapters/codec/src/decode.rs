//! A payload to a position.

use processor_domain::{
    Altitude, Attributes, Coordinates, DeviceId, Heading, Position, Priority, Speed, Timestamp,
};

use crate::refusal::{Excerpt, Refusal};
use crate::wire::WireRecord;
use crate::{Limits, attributes, compact, number, text};

/// Fewest milliseconds since 1970 that are taken as such. A number with 10 digits or fewer is seconds, or the
/// time since something was switched on.
const LEAST_MILLIS: i128 = 10_000_000_000;

/// The last millisecond of the year 9999. A larger number is microseconds or nanoseconds.
const MOST_MILLIS: i128 = 253_402_300_799_999;

pub(crate) fn position(
    limits: &Limits,
    payload: &[u8],
    received_at: Timestamp,
    now: Timestamp,
) -> Result<Position, Refusal> {
    let wire = wire_record(limits, payload)?;
    let device_id = device_id(required("device_id", wire.device_id)?)?;
    let ts = timestamp(required("timestamp", wire.timestamp)?)?;
    within_span(limits, ts, now.max(received_at))?;
    let coordinates =
        coordinates(required("latitude", wire.latitude)?, required("longitude", wire.longitude)?)?;
    let satellites = number("satellites", wire.satellites)?.and_then(count);
    let moving = satellites != Some(0);
    Ok(Position {
        device_id,
        ts,
        received_at,
        coordinates,
        altitude: number("altitude", wire.altitude)?.and_then(measure).and_then(Altitude::from_metres),
        heading: number("heading", wire.heading)?
            .filter(|_| moving)
            .and_then(measure)
            .and_then(Heading::from_degrees),
        speed: number("speed", wire.speed)?.filter(|_| moving).and_then(measure).and_then(Speed::from_kmh),
        satellites,
        priority: number("priority", wire.priority)?.map_or_else(Priority::default, priority),
        attributes: wire.attributes.map_or_else(Attributes::default, attributes::canonical),
    })
}

fn wire_record<'a>(limits: &Limits, payload: &'a [u8]) -> Result<WireRecord<'a>, Refusal> {
    if payload.len() > limits.max_bytes {
        return Err(Refusal::TooLarge { size: payload.len(), max: limits.max_bytes });
    }
    let text = std::str::from_utf8(payload)
        .map_err(|error| Refusal::NotText { valid_up_to: error.valid_up_to() })?;
    compact::record(text).map_or_else(|| parse(text), Ok)
}

fn parse(text: &str) -> Result<WireRecord<'_>, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        if error.is_data() { Refusal::NotObject(Excerpt::of(text)) } else { Refusal::NotJson(error) }
    })
}

fn required<'a>(field: &'static str, value: Option<&'a str>) -> Result<&'a str, Refusal> {
    value.ok_or(Refusal::Missing { field })
}

fn device_id(value: &str) -> Result<DeviceId, Refusal> {
    let digits;
    let name = if let Some(quoted) = text::content(value) {
        text::unescape(quoted)
    } else {
        let number = number::whole(value)
            .filter(|number| (0..=number::MAX_SAFE_INTEGER).contains(number))
            .ok_or_else(|| Refusal::DeviceType { value: Excerpt::of(value) })?;
        digits = format!("{number:015}");
        digits.into()
    };
    DeviceId::parse(&name).map_err(|why| Refusal::Device { value: Excerpt::of(value), why })
}

fn timestamp(value: &str) -> Result<Timestamp, Refusal> {
    if let Some(quoted) = text::content(value) {
        Timestamp::parse_rfc3339(&text::unescape(quoted))
            .map_err(|_| Refusal::TimeText { value: Excerpt::of(value) })
    } else {
        number::whole(value)
            .filter(|millis| (LEAST_MILLIS..=MOST_MILLIS).contains(millis))
            .and_then(|millis| i64::try_from(millis).ok())
            .map(Timestamp::from_millis)
            .ok_or_else(|| Refusal::TimeNumber { value: Excerpt::of(value) })
    }
}

fn within_span(limits: &Limits, ts: Timestamp, present: Timestamp) -> Result<(), Refusal> {
    let latest = present.plus(limits.ahead);
    if ts < limits.earliest {
        Err(Refusal::TooEarly { ts, earliest: limits.earliest })
    } else if ts > latest {
        Err(Refusal::TooLate { ts, latest })
    } else {
        Ok(())
    }
}

fn coordinates(latitude: &str, longitude: &str) -> Result<Coordinates, Refusal> {
    let refusal = |field| {
        let value = Excerpt::of(if field == "latitude" { latitude } else { longitude });
        Refusal::Coordinate { field, value }
    };
    let degrees = |field, value: &str| {
        let number = number::is_number(value).then(|| value.parse::<f64>().ok()).flatten();
        number.ok_or_else(|| refusal(field))
    };
    // Digits beyond the range of the type read as infinity.
    Coordinates::new(degrees("latitude", latitude)?, degrees("longitude", longitude)?)
        .map_err(|invalid| refusal(invalid.field))
}

/// The digits of a field that may be missing and must be a number if it is there.
fn number<'a>(field: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, Refusal> {
    match value {
        None => Ok(None),
        Some(value) if number::is_number(value) => Ok(Some(value)),
        Some(value) => Err(Refusal::NotNumber { field, value: Excerpt::of(value) }),
    }
}

fn measure(digits: &str) -> Option<f32> {
    digits.parse().ok()
}

fn count(digits: &str) -> Option<u8> {
    number::whole(digits).and_then(|count| u8::try_from(count).ok())
}

fn priority(digits: &str) -> Priority {
    let number = number::whole(digits).and_then(|number| i64::try_from(number).ok());
    number.map_or_else(Priority::default, Priority::from_number)
}
