use std::time::Duration;

use processor_domain::{DeviceId, Timestamp};

/// A record to be published, and the key of the row it must become.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Device and device time; none if the payload cannot be a position.
    pub key: Option<(DeviceId, Timestamp)>,
    /// The record in the wire format.
    pub payload: Box<[u8]>,
}

impl Sample {
    /// Something that cannot be a position, and must become a dead letter.
    #[must_use]
    pub fn undecodable(payload: impl Into<Box<[u8]>>) -> Self {
        Self { key: None, payload: payload.into() }
    }

    /// What the device of this number has measured at this time, which is `second` seconds after its car set out: one
    /// of [`records()`], at another time.
    #[must_use]
    pub fn measured(device: u32, second: u32, ts: Timestamp) -> Self {
        record(device, second, ts)
    }
}

/// Records of so many devices over so many seconds, in the order in which they arrive: one of every device each
/// second from 2026-05-01T10:00:00Z on, about 266 bytes each, with five attributes.
///
/// Always the same ones. The cars drive east at 20 m/s, each on its own parallel, so that nothing about them is
/// implausible.
pub fn records(devices: u32, seconds: u32) -> impl Iterator<Item = Sample> + Clone {
    const START: Timestamp = Timestamp::from_millis(1_777_629_600_000);
    (0..seconds).flat_map(move |second| {
        let ts = START.plus(Duration::from_secs(u64::from(second)));
        (0..devices).map(move |device| record(device, second, ts))
    })
}

fn record(device: u32, second: u32, ts: Timestamp) -> Sample {
    let device_text = format!("{:015}", 356_307_042_000_000_u64 + u64::from(device));
    let device_id = DeviceId::parse(&device_text).expect("fifteen digits name a device");
    let latitude = 54.0 + f64::from(device % 10_000) / 10_000.0;
    // 20 m/s is 311 millionths of a degree at this latitude.
    let longitude = 25.0 + f64::from(second) * 0.000_311;
    let payload = format!(
        r#"{{"device_id":"{device_text}","timestamp":"{ts}","latitude":{latitude:.7},"longitude":{longitude:.7},"altitude":{},"angle":90,"speed":72,"satellites":{},"priority":0,"attributes":{{"239":1,"66":{},"14":{},"78":{},"16":{}}}}}"#,
        100 + device % 50,
        9 + device % 8,
        12_000 + second % 1_000,
        8_937_002_380_u64 + u64::from(device),
        17_012_345_678_000_u64 + u64::from(device),
        123_000_000 + u64::from(second) * 20,
    );
    Sample { key: Some((device_id, ts)), payload: payload.into_bytes().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_json_of_the_promised_size_with_keys_of_their_own() {
        let all: Vec<_> = records(100, 60).collect();
        let bytes: usize = all.iter().map(|sample| sample.payload.len()).sum();
        assert_eq!(all.len(), 6_000);
        assert!((261..=271).contains(&(bytes / all.len())), "{} bytes", bytes / all.len());

        let keys: std::collections::HashSet<_> = all.iter().map(|sample| sample.key).collect();
        assert_eq!(keys.len(), all.len());
        for sample in all {
            let json: serde_json::Value = serde_json::from_slice(&sample.payload).unwrap();
            let (device_id, ts) = sample.key.unwrap();
            assert_eq!(json["device_id"], device_id.as_str());
            assert_eq!(json["timestamp"], ts.to_string());
            assert_eq!(json["attributes"].as_object().map(serde_json::Map::len), Some(5));
        }
    }
}
