//! All devices in memory, bounded.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::rules::RuleSet;
use crate::{DeviceId, DeviceState, Judged, Position};

/// The states of the devices heard of most recently.
///
/// Looking up, updating and evicting take constant time. When the capacity is reached the device heard of
/// least recently is forgotten; it is read back from the store when it is heard of again.
#[derive(Debug)]
pub struct DeviceStates {
    states: LruCache<DeviceId, DeviceState, foldhash::fast::RandomState>,
    evictions: u64,
}

impl DeviceStates {
    /// Room for `capacity` devices.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { states: LruCache::with_hasher(capacity, foldhash::fast::RandomState::default()), evictions: 0 }
    }

    /// How many devices there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// How many devices there can be.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.states.cap().get()
    }

    /// How many devices were forgotten for want of room so far.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Whether the device is in memory. Does not count as hearing of it.
    #[must_use]
    pub fn contains(&self, device_id: &DeviceId) -> bool {
        self.states.contains(device_id)
    }

    /// Whether the device is in memory; if it is, it is heard of now, and will not be the next to be forgotten.
    pub fn hear_of(&mut self, device_id: &DeviceId) -> bool {
        self.states.get(device_id).is_some()
    }

    /// The state of a device, if it is in memory. Does not count as hearing of it.
    #[must_use]
    pub fn get(&self, device_id: &DeviceId) -> Option<&DeviceState> {
        self.states.peek(device_id)
    }

    /// Remembers what a store said of a device, unless it is in memory already: then memory knows better.
    pub fn remember(&mut self, device_id: DeviceId, state: DeviceState) {
        if self.states.get(&device_id).is_none() {
            self.insert(device_id, state);
        }
    }

    /// Forgets what is known of a device: it is read back from the store when it is heard of again.
    pub fn forget(&mut self, device_id: &DeviceId) {
        self.states.pop(device_id);
    }

    /// Judges a position by the state of its device, and advances the state.
    pub fn judge(&mut self, rules: &RuleSet, position: Position) -> Judged {
        self.judge_known(rules, position).unwrap_or_else(|position| {
            let (device_id, mut state) = (position.device_id, DeviceState::default());
            let judged = judge(&mut state, rules, position);
            self.insert(device_id, state);
            judged
        })
    }

    /// As [`Self::judge`], if the device is in memory.
    ///
    /// # Errors
    /// The position, if it is not.
    pub fn judge_known(&mut self, rules: &RuleSet, position: Position) -> Result<Judged, Position> {
        match self.states.get_mut(&position.device_id) {
            Some(state) => Ok(judge(state, rules, position)),
            None => Err(position),
        }
    }

    fn insert(&mut self, device_id: DeviceId, state: DeviceState) {
        if self.states.push(device_id, state).is_some() {
            self.evictions += 1;
        }
    }
}

fn judge(state: &mut DeviceState, rules: &RuleSet, position: Position) -> Judged {
    let faults = rules.judge(state, &position);
    let novelty = state.novelty(position.ts);
    state.advance(&position, faults);
    Judged { position, faults, novelty }
}
