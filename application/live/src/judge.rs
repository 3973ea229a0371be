//! Judges what the feeds hand out, and remembers the newest of each device.

use std::sync::Mutex;

use lru::LruCache;
use processor_domain::ports::Observed;
use processor_domain::rules::RuleSet;
use processor_domain::{DeviceId, DeviceState, DeviceStates, Fix, Judged, Position};

use crate::lock::lock;
use crate::{LiveSettings, Sighting};

/// The same law as for the store, applied to the same positions.
///
/// It also remembers the newest good sighting of every device heard of recently, watched or not: when a topic
/// begins, a position may have come out of the feed already and not have reached the store yet.
pub(crate) struct Judge {
    rules: RuleSet,
    known: Mutex<Known>,
}

struct Known {
    states: DeviceStates,
    newest: LruCache<DeviceId, Sighting, foldhash::fast::RandomState>,
}

impl Judge {
    pub(crate) fn new(rules: RuleSet, settings: &LiveSettings) -> Self {
        let capacity = settings.device_capacity;
        let newest = LruCache::with_hasher(capacity, foldhash::fast::RandomState::default());
        Self { rules, known: Mutex::new(Known { states: DeviceStates::new(capacity), newest }) }
    }

    /// Judges positions in their order. When it returns, the newest are remembered.
    pub(crate) fn judge(&self, observed: Vec<Observed>) -> Vec<Sighting> {
        let known = &mut *lock(&self.known);
        let judge = |Observed { entry_id, position }| {
            let Judged { position, faults, .. } = known.states.judge(&self.rules, position);
            let sighting = Sighting::observed(&position, faults, entry_id.received_at());
            if !sighting.faulty() {
                known.note(sighting);
            }
            sighting
        };
        observed.into_iter().map(judge).collect()
    }

    /// The newest good sightings of these devices, of those that have been heard of. They are not news, so they
    /// do not say when they were received.
    pub(crate) fn newest_of(&self, devices: &[DeviceId]) -> Vec<Sighting> {
        let known = lock(&self.known);
        let newest = devices.iter().filter_map(|id| known.newest.peek(id));
        newest.map(|sighting| Sighting { received_at: None, ..*sighting }).collect()
    }

    /// Takes in the last good positions that the store knew, to judge later ones by.
    pub(crate) fn remember(&self, positions: &[Position]) {
        let known = &mut *lock(&self.known);
        for position in positions {
            let last_good = Fix::new(position.ts, position.coordinates);
            let state = DeviceState::remembered(Some(position.ts), last_good);
            known.states.remember(position.device_id, state);
        }
    }
}

impl Known {
    fn note(&mut self, sighting: Sighting) {
        match self.newest.get_mut(&sighting.device_id) {
            Some(newest) if newest.ts >= sighting.ts => {}
            Some(newest) => *newest = sighting,
            None => {
                self.newest.push(sighting.device_id, sighting);
            }
        }
    }
}
