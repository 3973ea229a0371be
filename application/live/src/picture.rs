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
mod tests {
    use super::*;
    use processor_domain::{Fault, Faults, samples};
    use std::time::Duration;

    fn sighting(device: u64, second: u64, faults: Faults) -> Sighting {
        let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
        let position = samples::position().device(device).at_moment(ts).build();
        Sighting::observed(&position, faults, ts)
    }

    fn good(device: u64, second: u64) -> Sighting {
        sighting(device, second, Faults::NONE)
    }

    fn faulty(device: u64, second: u64) -> Sighting {
        sighting(device, second, Fault::NoFix.into())
    }

    fn members(numbers: &[u64]) -> HashSet<DeviceId> {
        numbers.iter().map(|number| samples::device(*number)).collect()
    }

    fn picture_of(numbers: &[u64]) -> Picture {
        let mut picture = Picture::default();
        picture.set_members(&members(numbers));
        picture
    }

    impl Picture {
        fn tell(&mut self, seq: u64) -> Change {
            let change = self.take_staged();
            self.show(&change, seq);
            change
        }
    }

    #[test]
    fn a_frame_has_the_newest_of_each_device_and_says_for_how_many_it_stands() {
        let mut picture = picture_of(&[1, 2]);
        assert!(picture.stage(good(1, 1)));
        assert!(picture.stage(good(1, 2)));
        assert!(picture.stage(good(2, 1)));
        let change = picture.tell(1);
        assert_eq!(change.sightings, [good(1, 2), good(2, 1)]);
        assert_eq!(change.offered, 3);
        assert!(picture.tell(2).is_empty());
    }

    #[test]
    fn an_older_or_equal_position_is_not_told_even_while_the_newer_one_is_being_told() {
        let mut picture = picture_of(&[1]);
        assert!(picture.stage(good(1, 5)));
        let under_way = picture.take_staged();
        assert!(!picture.stage(good(1, 5)));
        assert!(!picture.stage(good(1, 4)));
        assert!(!picture.stage(faulty(1, 5)));
        picture.show(&under_way, 1);
        assert!(!picture.stage(good(1, 4)));
        assert!(picture.tell(2).is_empty());
    }

    #[test]
    fn a_faulty_one_is_told_and_moves_nothing() {
        let mut picture = picture_of(&[1]);
        picture.stage(good(1, 1));
        picture.stage(faulty(1, 3));
        assert_eq!(picture.tell(1).sightings, [good(1, 1), faulty(1, 3)]);
        assert_eq!(picture.good(), [good(1, 1)]);
        assert!(!picture.stage(faulty(1, 2)));
        assert!(picture.stage(good(1, 2)), "the marker is still at the first second");
        assert_eq!(picture.tell(2).sightings, [good(1, 2)]);
        assert_eq!(picture.changed_after(0).unwrap().sightings, [good(1, 2), faulty(1, 3)]);
        picture.stage(good(1, 4));
        picture.tell(3);
        assert_eq!(picture.changed_after(0).unwrap().sightings, [good(1, 4)]);
    }

    #[test]
    fn a_faulty_one_from_the_future_does_not_silence_the_device() {
        let mut picture = picture_of(&[1]);
        let mut future = faulty(1, 1_000_000);
        future.received_at = Some(good(1, 1).ts);
        assert!(picture.stage(future));
        assert!(picture.stage(faulty(1, 2)));
        assert!(picture.stage(good(1, 3)));
    }

    #[test]
    fn a_device_that_leaves_is_gone_at_once_and_whoever_is_behind_is_told() {
        let mut picture = picture_of(&[1, 2]);
        picture.stage(good(1, 1));
        picture.tell(1);
        picture.stage(good(1, 2));
        picture.set_members(&members(&[2]));
        assert!(!picture.stage(good(1, 3)));
        let change = picture.tell(2);
        assert_eq!((change.removed.as_slice(), change.sightings.len()), ([samples::device(1)].as_slice(), 0));
        assert_eq!(picture.changed_after(1).unwrap().removed, [samples::device(1)]);
        assert_eq!(picture.changed_after(2).unwrap().removed, []);
    }

    #[test]
    fn a_device_that_was_never_shown_leaves_without_a_word() {
        let mut picture = picture_of(&[1]);
        picture.stage(good(1, 1));
        picture.set_members(&members(&[]));
        assert!(picture.tell(1).is_empty());
    }

    #[test]
    fn a_device_that_comes_back_is_told_to_have_left_first() {
        let mut picture = picture_of(&[1]);
        picture.stage(good(1, 5));
        picture.tell(1);
        picture.set_members(&members(&[]));
        picture.set_members(&members(&[1]));
        assert!(picture.stage(good(1, 4)), "nothing is shown of it");
        let change = picture.tell(2);
        assert_eq!((change.removed, change.sightings), (vec![samples::device(1)], vec![good(1, 4)]));
    }

    #[test]
    fn a_device_that_was_not_where_it_is_shown_is_told_to_be_gone_and_then_where_it_is() {
        let mut picture = picture_of(&[1, 2]);
        let device = samples::device(1);
        picture.stage(good(1, 5));
        picture.tell(1);
        assert!(!picture.correct(&device, Some(good(1, 5))), "it is where it is");
        assert!(picture.tell(2).is_empty());
        assert!(!picture.correct(&device, Some(good(1, 6))), "it only moves on");
        assert_eq!(picture.tell(2).sightings, [good(1, 6)]);
        picture.stage(good(1, 7));
        assert!(picture.correct(&device, Some(good(1, 3))));
        let change = picture.tell(3);
        assert_eq!((change.removed, change.sightings), (vec![device], vec![good(1, 3)]));
        assert_eq!(picture.good(), [good(1, 3)]);
        assert!(picture.stage(good(1, 4)));
        assert!(picture.correct(&device, None));
        let change = picture.tell(4);
        assert_eq!((change.removed, change.sightings), (vec![device], vec![]));
        assert!(!picture.correct(&samples::device(9), Some(good(9, 1))), "it does not take part");
    }

    #[test]
    fn who_missed_more_departures_than_are_remembered_is_lost() {
        let mut picture = Picture::default();
        for seq in 1..=REMEMBERED_DEPARTURES as u64 + 1 {
            picture.show(&Change { removed: vec![samples::device(seq)], ..Change::default() }, seq);
        }
        assert!(picture.changed_after(0).is_none());
        let change = picture.changed_after(1).unwrap();
        assert_eq!(change.removed.len(), REMEMBERED_DEPARTURES);
    }

    #[test]
    fn it_is_complete_when_the_store_has_spoken_of_every_device() {
        let mut picture = Picture::default();
        assert!(!picture.is_complete(), "it is not even known who takes part");
        picture.set_members(&members(&[]));
        assert!(picture.is_complete());
        picture.set_members(&members(&[1, 2]));
        assert!(!picture.is_complete());
        picture.seeded(&samples::device(1));
        picture.set_members(&members(&[1]));
        assert!(picture.is_complete());
        picture.set_members(&members(&[]));
        picture.set_members(&members(&[1]));
        assert_eq!(picture.unseeded().collect::<Vec<_>>(), [samples::device(1)]);
    }
}
