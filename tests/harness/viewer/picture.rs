use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use processor_domain::{DeviceId, Timestamp};
use serde_json::Value;

/// Where a car is, and since when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whereabouts {
    /// Device time.
    pub ts: Timestamp,
    /// Latitude and longitude in degrees, as text with seven digits, so that what was written in different ways can
    /// be compared.
    pub place: String,
}

impl Whereabouts {
    /// At this latitude and longitude, in degrees.
    #[must_use]
    pub fn new(ts: Timestamp, latitude: f64, longitude: f64) -> Self {
        Self { ts, place: format!("{latitude:.7} {longitude:.7}") }
    }
}

/// What a viewer knows of an event.
///
/// It believes nothing: frames that are out of order, and times that move back, are errors.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    epoch: String,
    seq: u64,
    complete: bool,
    recovered: bool,
    cars: BTreeMap<DeviceId, Whereabouts>,
    frames: u64,
    moves: u64,
    faulty: u64,
    conflated: u64,
}

impl Picture {
    /// Takes in a `subscribed`: the picture begins anew, or goes on if what was missed follows.
    pub(crate) fn begin(&mut self, subscribed: &Value) -> anyhow::Result<()> {
        let epoch = text(subscribed, "epoch")?.to_owned();
        let seq = number(subscribed, "seq")?;
        let snapshot = list(subscribed, "snapshot")?;
        let recovered = flag(subscribed, "recovered")?;
        let complete = flag(subscribed, "snapshot_complete")?;
        if recovered {
            ensure!(epoch == self.epoch, "recovered another epoch");
            ensure!(snapshot.is_empty() && seq >= self.seq, "recovered, and not from where it was");
            (self.recovered, self.complete) = (true, complete);
            return Ok(());
        }
        let mut cars = BTreeMap::new();
        for position in snapshot {
            let (device, whereabouts, faulty) = read(position)?;
            ensure!(!faulty, "{device} is in the snapshot with a faulty position");
            let known = (epoch == self.epoch).then(|| self.cars.get(&device)).flatten();
            ensure!(
                known.is_none_or(|known| known.ts <= whereabouts.ts),
                "{device} moved back in time by a snapshot: {known:?}, {whereabouts:?}"
            );
            ensure!(cars.insert(device, whereabouts).is_none(), "{device} is in the snapshot twice");
        }
        *self = Self { epoch, seq, complete, recovered, cars, ..*self };
        Ok(())
    }

    /// Takes in a frame of positions.
    pub(crate) fn take(&mut self, frame: &Value) -> anyhow::Result<()> {
        let conflated = frame.get("conflated").is_some();
        self.count(number(frame, "seq")?, conflated)?;
        if frame.get("removed").is_some() {
            for device in list(frame, "removed")? {
                let device = device.as_str().context("a device that is no text")?;
                self.cars.remove(&DeviceId::parse(device)?);
            }
        }
        for position in list(frame, "positions")? {
            self.take_position(position, conflated)?;
        }
        Ok(())
    }

    /// Takes in of a message only its number, if it is a frame of positions.
    pub(crate) fn skim(&mut self, message: &str) -> anyhow::Result<()> {
        // All but the positions stands before them.
        let Some((head, _)) = message.split_once(r#","positions":["#) else { return Ok(()) };
        let (_, seq) = head.split_once(r#""seq":"#).with_context(|| head.to_owned())?;
        let (seq, rest) = seq.split_once(',').unwrap_or((seq, ""));
        self.cars.clear();
        self.count(seq.parse().with_context(|| head.to_owned())?, rest.starts_with(r#""conflated""#))
    }

    /// Takes note of a frame.
    fn count(&mut self, seq: u64, conflated: bool) -> anyhow::Result<()> {
        let follows = if conflated { seq > self.seq } else { seq == self.seq + 1 };
        ensure!(follows, "frame {seq} came after frame {}", self.seq);
        self.seq = seq;
        self.frames += 1;
        self.conflated += u64::from(conflated);
        Ok(())
    }

    fn take_position(&mut self, position: &Value, conflated: bool) -> anyhow::Result<()> {
        let (device, whereabouts, faulty) = read(position)?;
        if let Some(known) = self.cars.get(&device) {
            let again = conflated && !faulty && known == &whereabouts;
            ensure!(
                again || known.ts < whereabouts.ts,
                "{device} moved back in time: {known:?}, {whereabouts:?}, faulty: {faulty}"
            );
        }
        if faulty {
            self.faulty += 1;
        } else {
            self.moves += 1;
            self.cars.insert(device, whereabouts);
        }
        Ok(())
    }

    /// Where every car is that has been seen: its newest position that was not faulty.
    #[must_use]
    pub const fn cars(&self) -> &BTreeMap<DeviceId, Whereabouts> {
        &self.cars
    }

    /// The number of the last frame.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// In which life of the event's numbers.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Whether the last subscription began with the last known position of every car.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.complete
    }

    /// Whether the last subscription went on from where the viewer was.
    #[must_use]
    pub const fn recovered(&self) -> bool {
        self.recovered
    }

    /// How many frames came, over all subscriptions.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// How many positions in them moved a car.
    #[must_use]
    pub const fn moves(&self) -> u64 {
        self.moves
    }

    /// How many positions in them were faulty.
    #[must_use]
    pub const fn faulty(&self) -> u64 {
        self.faulty
    }

    /// How many of the frames stood for several, because the viewer had fallen behind.
    #[must_use]
    pub const fn conflated(&self) -> u64 {
        self.conflated
    }
}

/// Which device, where, and whether it is faulty.
pub(crate) fn read(position: &Value) -> anyhow::Result<(DeviceId, Whereabouts, bool)> {
    let degrees = |name| {
        let degrees = position.get(name).and_then(Value::as_f64);
        degrees.with_context(|| format!("no {name} in {position}"))
    };
    let device = DeviceId::parse(text(position, "device_id")?)?;
    let ts = Timestamp::parse_rfc3339(text(position, "ts")?)?;
    let whereabouts = Whereabouts::new(ts, degrees("latitude")?, degrees("longitude")?);
    Ok((device, whereabouts, flag(position, "faulty")?))
}

pub(crate) fn text<'a>(message: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    message.get(name).and_then(Value::as_str).with_context(|| format!("no text {name} in {message}"))
}

fn number(message: &Value, name: &str) -> anyhow::Result<u64> {
    message.get(name).and_then(Value::as_u64).with_context(|| format!("no number {name} in {message}"))
}

fn flag(message: &Value, name: &str) -> anyhow::Result<bool> {
    message.get(name).and_then(Value::as_bool).with_context(|| format!("no flag {name} in {message}"))
}

fn list<'a>(message: &'a Value, name: &str) -> anyhow::Result<&'a [Value]> {
    match message.get(name) {
        Some(Value::Array(list)) => Ok(list),
        _ => bail!("no list {name} in {message}"),
    }
}
