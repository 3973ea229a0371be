//! What the viewers of a topic are to see, and what of it they have not been told yet.

use std::collections::{HashMap, HashSet, VecDeque};

use processor_domain::{DeviceId, Timestamp};

use crate::Sighting;

/// Departures that are remembered, for viewers who are behind. One who missed more than that is lost.
const REMEMBERED_DEPARTURES: usize = 10_000;

/// The devices of an event and the newest sightings of each.
///
/// What is *staged* will be told with the next frame; what is *shown* was told with a frame of a known number.
/// A sighting is staged only if it is newer than all that was staged or shown of its kind before, so that for
/// each device time only moves forward: a good one has to be newer than the good ones, a faulty one newer than
/// all.
#[derive(Default)]
pub(crate) struct Picture {
    devices: HashMap<DeviceId, Device>,
    /// Devices with something staged.
    waiting: Vec<DeviceId>,
    /// Devices that were shown and have left.
    leaving: Vec<DeviceId>,
    /// Devices that have left, with the number of the frame that told it, oldest first.
    departed: VecDeque<(u64, DeviceId)>,
    /// Departures told with this frame and earlier ones are not remembered any more.
    forgotten: u64,
    /// Devices of which it is not known whether the store has a position.
    unseeded: HashSet<DeviceId>,
    members_known: bool,
    /// Sightings staged since the last frame, those included that were replaced by newer ones.
    offered: u64,
}

#[derive(Default)]
struct Device {
    newest_good: Option<Timestamp>,
    newest_faulty: Option<Timestamp>,
    staged_good: Option<Sighting>,
    staged_faulty: Option<Sighting>,
    shown_good: Option<Shown>,
    shown_faulty: Option<Shown>,
    waiting: bool,
}

struct Shown {
    sighting: Sighting,
    seq: u64,
}

/// What the next frame tells.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) removed: Vec<DeviceId>,
    pub(crate) sightings: Vec<Sighting>,
    /// Sightings that the frame stands for.
    pub(crate) offered: u64,
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.sightings.is_empty()
    }
}

impl Picture {
    /// Stages a sighting, if its device takes part and time does not move back.
    pub(crate) fn stage(&mut self, sighting: Sighting) -> bool {
        let Some(device) = self.devices.get_mut(&sighting.device_id) else { return false };
        if !device.stage(sighting) {
            return false;
        }
        self.offered += 1;
        if !device.waiting {
            device.waiting = true;
            self.waiting.push(sighting.device_id);
        }
        true
    }

    /// Sets which devices take part. Those that do no longer are gone from the picture at once.
    pub(crate) fn set_members(&mut self, members: &HashSet<DeviceId>) {
        self.members_known = true;
        let leaving = &mut self.leaving;
        self.devices.retain(|id, device| {
            let stays = members.contains(id);
            if !stays && device.was_shown() {
                leaving.push(*id);
            }
            stays
        });
        self.unseeded.retain(|id| members.contains(id));
        for id in members {
            self.devices.entry(*id).or_insert_with(|| {
                self.unseeded.insert(*id);
                Device::default()
            });
        }
    }

    /// Stages where a device is, of which it was found that it may be elsewhere than it is shown. `true` if that is
    /// a step back in time, or if it is nowhere any more: then the next frame tells that it is gone, before it
    /// tells where it is.
    pub(crate) fn correct(&mut self, id: &DeviceId, place: Option<Sighting>) -> bool {
        let Some(device) = self.devices.get_mut(id) else { return false };
        let back = match (device.newest_good, place) {
            (Some(newest), Some(place)) => place.ts < newest,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if back {
            if device.was_shown() {
                self.leaving.push(*id);
            }
            *device = Device { waiting: device.waiting, ..Device::default() };
        }
        if let Some(place) = place {
            self.stage(place);
        }
        back
    }

    /// Takes what is staged, for the next frame. It counts as shown only after [`Self::show`].
    pub(crate) fn take_staged(&mut self) -> Change {
        let mut sightings = Vec::with_capacity(self.waiting.len());
        for id in self.waiting.drain(..) {
            if let Some(device) = self.devices.get_mut(&id) {
                device.waiting = false;
                sightings.extend(device.staged_good.take());
                sightings.extend(device.staged_faulty.take());
            }
        }
        let removed = std::mem::take(&mut self.leaving);
        Change { removed, sightings, offered: std::mem::take(&mut self.offered) }
    }

    /// Takes note that the frame of this number told a change.
    pub(crate) fn show(&mut self, change: &Change, seq: u64) {
        for id in &change.removed {
            self.departed.push_back((seq, *id));
        }
        while self.departed.len() > REMEMBERED_DEPARTURES {
            self.forgotten = self.departed.pop_front().map_or(self.forgotten, |(seq, _)| seq);
        }
        for sighting in &change.sightings {
            if let Some(device) = self.devices.get_mut(&sighting.device_id) {
                device.show(Shown { sighting: *sighting, seq });
            }
        }
    }

    /// All that changed after the frame of this number and is still so, newest of each device only. `None` if
    /// that is not known any more.
    pub(crate) fn changed_after(&self, seq: u64) -> Option<Change> {
        if seq < self.forgotten {
            return None;
        }
        let recent = self.departed.iter().rev().take_while(|(told, _)| *told > seq);
        let removed: HashSet<DeviceId> = recent.map(|(_, id)| *id).collect();
        let shown = self.devices.values().flat_map(|device| [&device.shown_good, &device.shown_faulty]);
        let sightings: Vec<Sighting> =
            shown.flatten().filter(|shown| shown.seq > seq).map(|shown| shown.sighting).collect();
        let offered = sightings.len() as u64;
        Some(Change { removed: removed.into_iter().collect(), sightings, offered })
    }

    /// The good sightings that are shown, one of each device.
    pub(crate) fn good(&self) -> Vec<Sighting> {
        let shown = self.devices.values().filter_map(|device| device.shown_good.as_ref());
        shown.map(|shown| shown.sighting).collect()
    }

    /// How many devices take part.
    pub(crate) fn devices(&self) -> usize {
        self.devices.len()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = DeviceId> {
        self.devices.keys().copied()
    }

    pub(crate) fn unseeded(&self) -> impl Iterator<Item = DeviceId> {
        self.unseeded.iter().copied()
    }

    /// Takes note that the store said of this device what it knows, and that it is shown if it was needed.
    pub(crate) fn seeded(&mut self, id: &DeviceId) {
        self.unseeded.remove(id);
    }

    /// Whether the last known position of every device that takes part is in it.
    pub(crate) fn is_complete(&self) -> bool {
        self.members_known && self.unseeded.is_empty()
    }
}

impl Device {
    fn stage(&mut self, sighting: Sighting) -> bool {
        let ts = sighting.ts;
        if self.newest_good.is_some_and(|newest| ts <= newest) {
            return false;
        }
        if !sighting.faulty() {
            self.newest_good = Some(ts);
            self.staged_faulty.take_if(|faulty| faulty.ts <= ts);
            self.staged_good = Some(sighting);
            return true;
        }
        if self.newest_faulty.is_some_and(|newest| ts <= newest) {
            return false;
        }
        // A time from the future would keep all later faulty ones from being shown.
        if sighting.received_at.is_some_and(|received_at| ts <= received_at) {
            self.newest_faulty = Some(ts);
        }
        self.staged_faulty = Some(sighting);
        true
    }

    fn show(&mut self, shown: Shown) {
        if shown.sighting.faulty() {
            self.shown_faulty = Some(shown);
        } else {
            self.shown_faulty.take_if(|faulty| faulty.sighting.ts <= shown.sighting.ts);
            self.shown_good = Some(shown);
        }
    }

    const fn was_shown(&self) -> bool {
        self.shown_good.is_some() || self.shown_faulty.is_some()
    }
}

#[cfg(test)]
mod tests;
