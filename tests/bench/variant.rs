//! What is in the stream.

use processor_tests::records;

/// A backlog with something to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Variant {
    /// Every record once, in the order of time.
    Plain,
    /// One record in a hundred is sent again a little later.
    OnePercentTwice,
    /// Every second record is sent again a little later.
    HalfTwice,
    /// One record in ten is late, by one to thirty weeks: each its own chunk.
    LateOverThirtyChunks,
    /// One entry in a hundred is no record.
    OnePercentPoison,
}

/// How many records later one is sent again.
const AGAIN_AFTER: usize = 5_000;

impl Variant {
    pub(crate) const ALL: [Self; 5] = [
        Self::Plain,
        Self::OnePercentTwice,
        Self::HalfTwice,
        Self::LateOverThirtyChunks,
        Self::OnePercentPoison,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OnePercentTwice => "1% twice",
            Self::HalfTwice => "50% twice",
            Self::LateOverThirtyChunks => "10% late, 30 chunks",
            Self::OnePercentPoison => "1% poison",
        }
    }

    pub(crate) const fn stream(self) -> &'static str {
        match self {
            Self::Plain => "bench:plain",
            Self::OnePercentTwice => "bench:one-percent-twice",
            Self::HalfTwice => "bench:half-twice",
            Self::LateOverThirtyChunks => "bench:late",
            Self::OnePercentPoison => "bench:poison",
        }
    }

    /// How many of so many entries are to be set aside.
    pub(crate) const fn poison(self, count: u64) -> u64 {
        match self {
            Self::OnePercentPoison => count.div_ceil(100),
            _ => 0,
        }
    }

    /// So many records of so many devices.
    pub(crate) fn records(self, devices: u32, count: u32) -> Box<dyn Iterator<Item = Box<[u8]>> + Send> {
        let count = count as usize;
        let all = records(devices, u32::MAX).map(|sample| sample.payload);
        match self {
            Self::Plain => Box::new(all.take(count)),
            Self::OnePercentTwice => Box::new(some_twice(all, 100).take(count)),
            Self::HalfTwice => Box::new(some_twice(all, 2).take(count)),
            Self::LateOverThirtyChunks => Box::new(all.enumerate().take(count).map(|(at, payload)| {
                if at % 10 == 0 { weeks_earlier(&payload, 1 + (at / 10) % 30) } else { payload }
            })),
            Self::OnePercentPoison => Box::new(all.enumerate().take(count).map(|(at, payload)| {
                if at % 100 == 0 { payload[..payload.len() / 2].into() } else { payload }
            })),
        }
    }
}

/// `all`, in which every `nth` comes again [`AGAIN_AFTER`] records later.
fn some_twice(
    all: impl Iterator<Item = Box<[u8]>> + Clone + Send,
    nth: usize,
) -> impl Iterator<Item = Box<[u8]>> + Send {
    let mut again = all.clone();
    all.enumerate().flat_map(move |(at, payload)| {
        let earlier = if at >= AGAIN_AFTER { again.next() } else { None };
        let repeated = earlier.filter(|_| at % nth == 0);
        std::iter::once(payload).chain(repeated)
    })
}

/// The same record, some weeks earlier.
fn weeks_earlier(payload: &[u8], weeks: usize) -> Box<[u8]> {
    const WEEK_MILLIS: i64 = 7 * 24 * 3_600_000;
    let mut record: serde_json::Value = serde_json::from_slice(payload).expect("a record");
    let ts = processor_domain::Timestamp::parse_rfc3339(record["timestamp"].as_str().expect("text"));
    let millis = ts.expect("a time").millis() - WEEK_MILLIS * i64::try_from(weeks).expect("few");
    record["timestamp"] = processor_domain::Timestamp::from_millis(millis).to_string().into();
    record.to_string().into_bytes().into()
}
