//! Which slot of a cluster a key is in.

/// One of the 16384 parts into which a cluster divides all keys; each is on one node at a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Slot(u16);

impl Slot {
    /// The slot of all keys where there is but one server.
    pub(crate) const ONLY: Self = Self(0);

    /// The slot of a key: its hash tag counts, if it has one.
    pub(crate) fn of(key: &str) -> Self {
        Self(crc16(hashed(key).as_bytes()) % 16384)
    }

    /// Whether it lies between these two.
    pub(crate) fn is_within(self, first: u64, last: u64) -> bool {
        (first..=last).contains(&u64::from(self.0))
    }
}

/// What is between the first `{` and the first `}` after it, unless that is nothing; else the whole key.
fn hashed(key: &str) -> &str {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    tag.filter(|tag| !tag.is_empty()).unwrap_or(key)
}

/// CRC-16/XMODEM. A key is looked at once for a connection and once for a batch, so bit by bit is quick enough.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn the_hash_tag_counts_if_there_is_one() {
        let same = |one: &str, other: &str| assert_eq!(Slot::of(one), Slot::of(other), "{one} {other}");
        same("{telemetry}:in", "telemetry");
        same("{telemetry}:in:dead", "{telemetry}:in");
        same("foo{bar}{zap}", "bar");
        same("foo{{bar}}zap", "{bar");
        assert_eq!(hashed("foo{}{bar}"), "foo{}{bar}");
        assert_eq!(hashed("foo{bar"), "foo{bar");
        assert_eq!(hashed("foo}bar{baz}"), "baz");
    }

    #[test]
    fn slots_are_those_that_a_server_tells() {
        assert_eq!(Slot::of("foo"), Slot(12182));
        assert_eq!(Slot::of("bar"), Slot(5061));
        assert!(Slot(5061).is_within(0, 5461) && Slot(5061).is_within(5061, 5061));
        assert!(!Slot(5061).is_within(5062, 9000));
    }
}
