//! The fields of a record where they stand in the payload.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value as text of the payload: well-formed JSON, not yet read.
type Raw<'a> = Option<&'a str>;

/// The fields of a record, borrowed.
///
/// Every value is taken as text. So a field with an unexpected type is found by whoever reads that field, who
/// can name it, and numbers are read once, exactly, and from the digits that were sent.
#[derive(Default, PartialEq, Debug)]
pub(crate) struct WireRecord<'a> {
    pub(crate) device_id: Raw<'a>,
    pub(crate) timestamp: Raw<'a>,
    pub(crate) latitude: Raw<'a>,
    pub(crate) longitude: Raw<'a>,
    pub(crate) altitude: Raw<'a>,
    pub(crate) heading: Raw<'a>,
    pub(crate) speed: Raw<'a>,
    pub(crate) satellites: Raw<'a>,
    pub(crate) priority: Raw<'a>,
    pub(crate) attributes: Raw<'a>,
}

impl<'a> WireRecord<'a> {
    /// Where the value of the field with this name belongs; `None` for a field that is passed over.
    pub(crate) fn place(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        Some(match name {
            "device_id" | "imei" => &mut self.device_id,
            "timestamp" => &mut self.timestamp,
            "latitude" => &mut self.latitude,
            "longitude" => &mut self.longitude,
            "altitude" => &mut self.altitude,
            "heading" | "angle" | "course" => &mut self.heading,
            "speed" => &mut self.speed,
            "satellites" => &mut self.satellites,
            "priority" => &mut self.priority,
            "attributes" => &mut self.attributes,
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for WireRecord<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

/// By hand and not derived: a derived one refuses a record that has two names of one field.
struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = WireRecord<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut record = WireRecord::default();
        while let Some(name) = fields.next_key::<Name<'de>>()? {
            let Some(place) = record.place(&name.0) else {
                fields.next_value::<IgnoredAny>()?;
                continue;
            };
            if let Some(value) = fields.next_value::<Option<&'de RawValue>>()? {
                *place = Some(value.get());
            }
        }
        Ok(record)
    }
}

/// A name, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
