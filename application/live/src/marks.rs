//! What operators say, heard again and again, and the pictures put right by it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use processor_domain::ports::{LastPositions, Marks, StoreError};
use processor_domain::{DeviceId, Position, Revision, Rulings, Timestamp};

use crate::live::Shared;

/// How far this river has heard of marks.
///
/// It is used by the task alone that asks the store for last positions: so nothing that was read before a mark was
/// made is shown after the picture was put right.
pub(crate) struct Hearing {
    marks: Arc<dyn Marks>,
    /// All up to this; `None` until they were heard of for the first time.
    heard: Option<Revision>,
    rulings: Rulings,
    /// Devices of which something was said and whose place may not be right yet, with the newest time that was handed
    /// out when it was heard. Of what was handed out only the newest is remembered here: if that is not good any more,
    /// a good one before it may still be on its way to the store.
    unsettled: HashMap<DeviceId, Option<Timestamp>>,
}

impl Hearing {
    pub(crate) fn of(marks: Arc<dyn Marks>) -> Self {
        Self { marks, heard: None, rulings: Rulings::default(), unsettled: HashMap::new() }
    }

    /// Hears of the marks that there are, if it never has.
    pub(crate) async fn begin(&mut self, shared: &Shared) -> Result<(), StoreError> {
        if self.heard.is_none() { self.hear(shared).await } else { Ok(()) }
    }

    /// Hears what is new. From then on positions are judged by it.
    pub(crate) async fn hear(&mut self, shared: &Shared) -> Result<(), StoreError> {
        let mut devices = HashSet::new();
        let mut after = self.heard.unwrap_or_default();
        loop {
            let changes = self.marks.changes(after).await?;
            if changes.marks.is_empty() {
                break;
            }
            after = changes.revision;
            for mark in &changes.marks {
                self.rulings.take(mark);
                devices.insert(mark.said.device_id);
            }
        }
        self.heard = Some(after);
        if !devices.is_empty() {
            let _nobody_stages = shared.staging.write();
            for (id, handed_out) in shared.judge.adopt(Arc::new(self.rulings.clone()), devices) {
                let until = self.unsettled.entry(id).or_default();
                *until = handed_out.max(*until);
            }
        }
        Ok(())
    }

    /// Puts the places right of devices of which something was said and that somebody may see, again with each
    /// hearing until a good position is known that is as new as what was handed out.
    pub(crate) async fn settle(
        &mut self,
        store: &dyn LastPositions,
        shared: &Shared,
    ) -> Result<(), StoreError> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let members = shared.topics.members();
        let shown: Vec<DeviceId> = members.into_iter().filter(|id| self.unsettled.contains_key(id)).collect();
        let mut known = Vec::new();
        if !shown.is_empty() {
            known = shared.judge.standing(store.last_positions(&shown).await?);
            shared.judge.remember(&known);
            let _nobody_stages = shared.staging.write();
            shared.topics.correct(&shown, &known);
        }
        self.leave_out_settled(shared, &known);
        Ok(())
    }

    /// Others than those that somebody may see are asked for when they come into a topic; then those that are still
    /// unsettled are asked for again.
    fn leave_out_settled(&mut self, shared: &Shared, known: &[Position]) {
        let devices: Vec<DeviceId> = self.unsettled.keys().copied().collect();
        let handed_out = shared.judge.newest_of(&devices);
        let handed_out = handed_out.iter().map(|sighting| (sighting.device_id, sighting.ts));
        let stored = known.iter().map(|position| (position.device_id, position.ts));
        for (id, newest) in handed_out.chain(stored) {
            if self.unsettled.get(&id).is_some_and(|until| *until <= Some(newest)) {
                self.unsettled.remove(&id);
            }
        }
        self.unsettled.retain(|_, until| until.is_some());
    }
}
