//! Judges what the feeds hand out, and remembers the newest of each device.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use lru::LruCache;
use processor_domain::ports::Observed;
use processor_domain::rules::RuleSet;
use processor_domain::{
    DeviceId, DeviceState, DeviceStates, Fix, Judged, Position, Ruling, Rulings, Timestamp,
};

use crate::lock::lock;
use crate::{LiveSettings, Sighting};

/// The same law as for the store, applied to the same positions.
///
/// It also remembers the newest good sighting of every device heard of recently, watched or not: when a topic
/// begins, a position may have come out of the feed already and not have reached the store yet.
pub(crate) struct Judge {
    known: Mutex<Known>,
}

struct Known {
    rules: RuleSet,
    rulings: Arc<Rulings>,
    states: DeviceStates,
    newest: LruCache<DeviceId, Sighting, foldhash::fast::RandomState>,
}

impl Judge {
    pub(crate) fn new(rules: RuleSet, settings: &LiveSettings) -> Self {
        let capacity = settings.device_capacity;
        let newest = LruCache::with_hasher(capacity, foldhash::fast::RandomState::default());
        let (rulings, states) = (Arc::default(), DeviceStates::new(capacity));
        Self { known: Mutex::new(Known { rules, rulings, states, newest }) }
    }

    /// Judges positions in their order. When it returns, the newest are remembered.
    pub(crate) fn judge(&self, observed: Vec<Observed>) -> Vec<Sighting> {
        let known = &mut *lock(&self.known);
        let judge = |Observed { entry_id, position }| {
            let Judged { position, faults, .. } = known.states.judge(&known.rules, position);
            let sighting = Sighting::observed(&position, faults, entry_id.received_at());
            if !sighting.faulty() {
                known.note(sighting);
            }
            sighting
        };
        observed.into_iter().map(judge).collect()
    }

    /// From now on operators say this. What was remembered of these devices, of which they said something new, is
    /// judged again, as far as it is here; the rest is to be asked of the store. Gives the newest time that was handed
    /// out of each: the store may not have all up to it yet.
    pub(crate) fn adopt(
        &self,
        rulings: Arc<Rulings>,
        devices: HashSet<DeviceId>,
    ) -> HashMap<DeviceId, Option<Timestamp>> {
        let known = &mut *lock(&self.known);
        let mut handed_out = HashMap::with_capacity(devices.len());
        for id in devices {
            let mut until = known.states.get(&id).and_then(DeviceState::high_water);
            known.states.forget(&id);
            if let Some(newest) = known.newest.peek_mut(&id) {
                until = until.max(Some(newest.ts));
                newest.faults = newest.faults.ruled(rulings.on(&id, newest.ts));
                if newest.faulty() {
                    known.newest.pop(&id);
                }
            }
            handed_out.insert(id, until);
        }
        known.rules.adopt(Arc::clone(&rulings));
        known.rulings = rulings;
        handed_out
    }

    /// Those of the positions that a store has as good on which operators do not say otherwise: one that was judged
    /// elsewhere before the mark was heard of may not be in line with it yet.
    pub(crate) fn standing(&self, mut known: Vec<Position>) -> Vec<Position> {
        let rulings = Arc::clone(&lock(&self.known).rulings);
        known.retain(|position| rulings.on(&position.device_id, position.ts) != Some(Ruling::Faulty));
        known
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
