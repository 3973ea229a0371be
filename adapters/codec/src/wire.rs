//! The fields of a record where they stand in the payload.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value as text of the payload: well-formed JSON, not yet read.
type Raw<'a> = Option<&'a RawValue>;

/// The fields of a record, borrowed.
///
/// Every value is taken as text. So a field with an unexpected type is found by whoever reads that field, who
/// can name it, and numbers are read once, exactly, and from the digits that were sent.
#[derive(Default)]
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

/// The names of fields.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    #[serde(alias = "imei")]
    DeviceId,
    Timestamp,
    Latitude,
    Longitude,
    Altitude,
    #[serde(alias = "angle", alias = "course")]
    Heading,
    Speed,
    Satellites,
    Priority,
    Attributes,
    #[serde(other)]
    Other,
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
        while let Some(field) = fields.next_key()? {
            let place = match field {
                Field::DeviceId => &mut record.device_id,
                Field::Timestamp => &mut record.timestamp,
                Field::Latitude => &mut record.latitude,
                Field::Longitude => &mut record.longitude,
                Field::Altitude => &mut record.altitude,
                Field::Heading => &mut record.heading,
                Field::Speed => &mut record.speed,
                Field::Satellites => &mut record.satellites,
                Field::Priority => &mut record.priority,
                Field::Attributes => &mut record.attributes,
                Field::Other => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if let Some(value) = fields.next_value::<Raw<'de>>()? {
                *place = Some(value);
            }
        }
        Ok(record)
    }
}
