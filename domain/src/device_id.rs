//! Which tracker.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The name of a tracker: normally its IMEI, 15 digits with leading zeros kept.
///
/// Kept inline, so that a position and a device state cost no allocation for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceId {
    length: u8,
    bytes: [u8; DeviceId::MAX_LENGTH],
}

/// The text cannot name a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device id is 1 to {max} visible ASCII characters", max = DeviceId::MAX_LENGTH)]
pub struct InvalidDeviceId;

impl DeviceId {
    /// Longest name accepted, in bytes: enough for an IMEI (15), an IMEISV (16) and a UUID (36).
    pub const MAX_LENGTH: usize = 39;

    /// Checks `text` and keeps it.
    ///
    /// # Errors
    /// [`InvalidDeviceId`] if it is empty, longer than [`Self::MAX_LENGTH`], or has a character that is not
    /// visible ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidDeviceId> {
        let length = u8::try_from(text.len()).map_err(|_| InvalidDeviceId)?;
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidDeviceId);
        }
        let mut bytes = [0; Self::MAX_LENGTH];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { length, bytes })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only visible ASCII gets in, so this is always text.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The name as bytes; all of them visible ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Hash for DeviceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// By name, as text is ordered.
impl Ord for DeviceId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for DeviceId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DeviceId({})", self.as_str())
    }
}

impl std::str::FromStr for DeviceId {
    type Err = InvalidDeviceId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_leading_zeros_and_refuses_what_is_no_name() {
        assert_eq!(DeviceId::parse("000000338131000").map(|id| id.to_string()), Ok("000000338131000".into()));
        assert!(DeviceId::parse("0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d").is_ok());
        for text in ["", " 1", "1\u{0}", "é", &"1".repeat(40)] {
            assert_eq!(DeviceId::parse(text), Err(InvalidDeviceId), "{text:?}");
        }
    }

    #[test]
    fn is_ordered_as_its_text_is() {
        let mut ids = ["b", "a", "ab", "1"].map(|text| DeviceId::parse(text).unwrap());
        ids.sort_unstable();
        assert_eq!(ids.map(|id| id.to_string()), ["1", "a", "ab", "b"]);
    }
}
