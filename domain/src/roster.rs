//! Whose car is where: which devices take part in which events.

use std::collections::{BTreeMap, HashMap};

use crate::{DeviceId, EventId};

/// Which events each device takes part in, as read at one moment.
///
/// It is read whole and swapped whole: there is no moment at which a device that moved from one event to
/// another is in both or in neither because of how it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    events: HashMap<DeviceId, Vec<EventId>, foldhash::fast::RandomState>,
}

impl Roster {
    /// How many devices take part in any event.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.events.len()
    }

    /// Every event that a device takes part in, with how many do, in the order of their ids.
    #[must_use]
    pub fn events(&self) -> BTreeMap<&EventId, usize> {
        let mut events = BTreeMap::new();
        for event in self.events.values().flatten() {
            *events.entry(event).or_default() += 1;
        }
        events
    }

    /// The events of a device; none for a device that takes part in nothing.
    #[must_use]
    pub fn events_of(&self, device: &DeviceId) -> &[EventId] {
        self.events.get(device).map_or(&[], Vec::as_slice)
    }

    /// The devices of an event, in no order.
    pub fn devices_of<'a>(&'a self, event: &'a EventId) -> impl Iterator<Item = DeviceId> + 'a {
        self.events.iter().filter(move |(_, events)| events.contains(event)).map(|(device, _)| *device)
    }
}

/// From pairs in any order; a pair that comes twice counts once.
impl FromIterator<(DeviceId, EventId)> for Roster {
    fn from_iter<I: IntoIterator<Item = (DeviceId, EventId)>>(pairs: I) -> Self {
        let mut roster = Self::default();
        for (device, event) in pairs {
            let events = roster.events.entry(device).or_default();
            if !events.contains(&event) {
                events.push(event);
            }
        }
        roster
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn says_of_each_pair_that_it_was_given_and_of_no_other(
            pairs in prop::collection::btree_set((0_u64..6, 0_u8..4), 0..20)
        ) {
            let event = |number: u8| EventId::parse(&number.to_string()).unwrap();
            let twice = pairs.iter().chain(&pairs);
            let roster: Roster = twice.map(|(number, of)| (samples::device(*number), event(*of))).collect();
            for number in 0..6 {
                for of in 0..4 {
                    let (device, event) = (samples::device(number), event(of));
                    let count = roster.events_of(&device).iter().filter(|found| **found == event).count();
                    prop_assert_eq!(count, usize::from(pairs.contains(&(number, of))));
                    let devices = pairs.iter().filter(|(_, other)| *other == of).count();
                    prop_assert_eq!(roster.events().get(&event).copied().unwrap_or(0), devices);
                    prop_assert_eq!(roster.devices_of(&event).any(|found| found == device), count == 1);
                }
            }
        }
    }
}
