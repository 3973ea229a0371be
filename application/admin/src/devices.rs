//! What there is of one device.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{
    Access, AccessError, Clock, DeviceMemory, DeviceRecords, Enrolments, LastPositions, StoreError,
};
use processor_domain::{Credential, DeviceId, DeviceState, Enrolment, EventId, RosterSchema, StoredRecord};
use processor_live::Live;
use processor_tasks::chain;

use crate::explain::{
    Explanation, Fact, Facts, LettersOfDevice, LiveFacts, Right, RosterFacts, Unknown, explain,
};

/// Newest records that are looked at.
const LOOKED_AT: usize = 50;
/// Records in the last hour that are counted; at one a second there are 3,600.
const COUNTED: u64 = 100_000;
/// How long any of those who are asked may take; what they do not say then is not known.
const PATIENCE: Duration = Duration::from_secs(8);
const HOUR: Duration = Duration::from_hours(1);

/// Looks for a device in records that could not be stored.
#[async_trait]
pub trait LettersOfDevices: Send + Sync {
    /// The newest dead letters that name this device, of those that are looked through.
    async fn letters_of(&self, device: &DeviceId) -> Fact<Option<LettersOfDevice>>;
}

/// Answers what operators ask about devices.
#[derive(Clone)]
pub struct Devices {
    /// What the store has of a device.
    pub records: Arc<dyn DeviceRecords>,
    /// The last known picture.
    pub last_positions: Arc<dyn LastPositions>,
    /// What the store remembers of a device.
    pub memory: Arc<dyn DeviceMemory>,
    /// Records that could not be stored; `None` if they are not looked through.
    pub letters: Option<Arc<dyn LettersOfDevices>>,
    /// What the CMS has of a device.
    pub enrolments: Arc<dyn Enrolments>,
    /// The live river, if there is one.
    pub live: Option<Live>,
    /// Now.
    pub clock: Arc<dyn Clock>,
}

/// What there is of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceReport {
    /// The record with the newest device time.
    pub last: Option<StoredRecord>,
    /// What the store remembers: the newest device time that is not from the future, and the last good fix.
    pub state: DeviceState,
    /// Records whose device time is in the last hour, counted up to 100,000.
    pub rows_in_last_hour: u64,
    /// What the CMS has of it.
    pub enrolment: Enrolment,
    /// Its events on the roster in use; `None` if there is no live socket or the roster was never read.
    pub events: Option<Vec<EventId>>,
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Devices").finish_non_exhaustive()
    }
}

impl Devices {
    /// What there is of the device; `None` if neither the store nor the CMS knows it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    pub async fn report(&self, device: &DeviceId) -> Result<Option<DeviceReport>, StoreError> {
        let since = self.clock.now().minus(HOUR);
        let (records, states, rows_in_last_hour, enrolment) = futures::try_join!(
            self.records.newest(device, 1),
            self.memory.recall(std::slice::from_ref(device)),
            self.records.count_since(device, since, COUNTED),
            self.enrolments.enrolment(device),
        )?;
        if records.is_empty() && enrolment.registered != Some(true) && enrolment.entries == 0 {
            return Ok(None);
        }
        let events = self.roster_of(device).map(|roster| roster.events);
        Ok(Some(DeviceReport {
            last: records.first().copied(),
            state: states.into_iter().next().map_or_else(DeviceState::default, |(_, state)| state),
            rows_in_last_hour,
            enrolment,
            events,
        }))
    }

    /// Why the device is not on the map: of this event, if it is named, and for the viewer of this session, if one is
    /// given together with the event.
    pub async fn explain(
        &self,
        device: &DeviceId,
        event: Option<EventId>,
        viewer: Option<Credential>,
    ) -> Explanation {
        let right = async {
            match (&self.live, &event, viewer) {
                (Some(live), Some(event), Some(viewer)) => {
                    Some(in_time(right(&*live.access(), &viewer, event)).await)
                }
                _ => None,
            }
        };
        let (records, last_good, letters, enrolment, right) = futures::join!(
            known(self.records.newest(device, LOOKED_AT)),
            known(self.last_positions.last_positions(std::slice::from_ref(device))),
            in_time(self.letters_of(device)),
            known(self.enrolments.enrolment(device)),
            right,
        );
        explain(&Facts {
            now: self.clock.now(),
            records,
            last_good: last_good.map(|found| found.first().map(|position| position.ts)),
            letters,
            enrolment,
            live: self.live.as_ref().map(|live| self.live_facts(live, device)),
            event,
            right,
        })
    }

    /// How the tables of the CMS name a device.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: not known now.
    pub async fn roster_schema(&self) -> Result<RosterSchema, StoreError> {
        self.enrolments.schema().await
    }

    async fn letters_of(&self, device: &DeviceId) -> Fact<Option<LettersOfDevice>> {
        match &self.letters {
            Some(letters) => letters.letters_of(device).await,
            None => Err(Unknown("they are not looked through".to_owned())),
        }
    }

    fn roster_of(&self, device: &DeviceId) -> Option<RosterFacts> {
        let roster = self.live.as_ref()?.standing().roster?;
        Some(RosterFacts { age: roster.age, events: roster.roster.events_of(device).to_vec() })
    }

    fn live_facts(&self, live: &Live, device: &DeviceId) -> LiveFacts {
        let standing = live.standing();
        let viewers: BTreeMap<_, _> =
            standing.topics.into_iter().map(|topic| (topic.event, topic.viewers)).collect();
        LiveFacts {
            roster: self.roster_of(device),
            roster_refresh: live.roster_refresh(),
            feeds_are_there: standing.feeds.iter().all(|feed| feed.there),
            delay: standing.feeds.iter().filter_map(|feed| feed.delay).max(),
            newest_seen: live.newest_seen(device),
            viewers,
        }
    }
}

/// A fact of what the store says. Why it does not is for people who may know of the inside.
async fn known<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Fact<T> {
    in_time(async { answer.await.map_err(|error| Unknown(chain(&error))) }).await
}

async fn in_time<T>(fact: impl Future<Output = Fact<T>>) -> Fact<T> {
    let late = |_| Err(Unknown("there was no answer in time".to_owned()));
    tokio::time::timeout(PATIENCE, fact).await.unwrap_or_else(late)
}

async fn right(access: &dyn Access, session: &Credential, event: &EventId) -> Fact<Right> {
    let unknown = |error: AccessError| Unknown(error.to_string());
    if access.identify(session).await.map_err(unknown)?.is_none() {
        return Ok(Right::Nobody);
    }
    let may = access.may_see(session, event).await.map_err(unknown)?;
    Ok(if may { Right::Allowed } else { Right::Forbidden })
}
