//! What is told about one event, and to whom.
//!
//! A topic does not send: it keeps the frames told last, and has its viewers called, who take what they have not had
//! yet. So a viewer costs the topic nothing but a place in the list of those to be called, however slow it is.
//!
//! Locks are taken in the order in which the fields stand, and never held while waiting for anything else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use processor_domain::{DeviceId, EventId};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::epoch::{Epoch, Since};
use crate::lock::lock;
use crate::outlet::Call;
use crate::picture::{Change, Picture};
use crate::recent::{Frame, Recent};
use crate::{FrameEncoder, LiveSettings, PositionsFrame, Sighting, TopicStanding};

pub(crate) struct Topic {
    event: EventId,
    encoder: Arc<dyn FrameEncoder>,
    backlog_bytes: u64,
    /// The number of the last frame, to be looked at without a lock.
    seq: AtomicU64,
    /// That of the last one that its viewers were called for.
    called: AtomicU64,
    /// There are viewers to be called.
    told: Arc<Notify>,
    /// Whether subscriptions can be answered: the last known positions are there, or could not be had.
    answerable: watch::Sender<bool>,
    /// Held by whoever tells a frame, from taking what is staged until it is shown.
    telling: Mutex<()>,
    /// Held while a snapshot is encoded, so that it is done once for all who ask at the same moment.
    snapshot: Mutex<Option<Snapshot>>,
    /// The same for those who are behind.
    catch_up: Mutex<Option<CatchUp>>,
    state: Mutex<State>,
    viewers: Mutex<Viewers>,
}

struct State {
    /// It changes when a car is shown where it was before: what a viewer had until then leads nowhere.
    epoch: Epoch,
    picture: Picture,
    recent: Recent,
}

struct Snapshot {
    seq: u64,
    complete: bool,
    bytes: Bytes,
}

struct CatchUp {
    /// All that changed after this frame …
    after: u64,
    /// … up to this one.
    seq: u64,
    frame: Frame,
}

struct Viewers {
    /// In the order in which they came, which is about that of their memory: calling thousands is partly waiting for it.
    calls: BTreeMap<u64, Call>,
    /// All of them, as long as nobody comes or goes.
    all: Option<Arc<[Call]>>,
    nobody_since: Instant,
}

/// How far a viewer is: all that is kept for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    seq: u64,
    offered: u64,
}

/// The answer to a subscription.
pub(crate) struct Beginning {
    pub(crate) epoch: Epoch,
    pub(crate) seq: u64,
    pub(crate) snapshot: Bytes,
    pub(crate) complete: bool,
    /// All that it missed; `None` if it gets the whole picture instead.
    pub(crate) missed: Option<Vec<Frame>>,
    pub(crate) cursor: Cursor,
}

/// A viewer is so far behind that it cannot be told any more what it missed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl Topic {
    /// Whenever there is a frame, `told` is notified.
    pub(crate) fn new(
        event: EventId,
        encoder: Arc<dyn FrameEncoder>,
        settings: &LiveSettings,
        told: Arc<Notify>,
    ) -> Self {
        let recent = Recent::new(settings.recent_bytes, settings.recent_frames);
        Self {
            event,
            encoder,
            backlog_bytes: settings.backlog_bytes as u64,
            seq: AtomicU64::new(0),
            called: AtomicU64::new(0),
            told,
            answerable: watch::Sender::new(false),
            telling: Mutex::default(),
            snapshot: Mutex::default(),
            catch_up: Mutex::default(),
            state: Mutex::new(State { epoch: Epoch::random(), picture: Picture::default(), recent }),
            viewers: Mutex::new(Viewers { calls: BTreeMap::new(), all: None, nobody_since: Instant::now() }),
        }
    }

    /// Stages a sighting for the next frame, if there is something new in it.
    pub(crate) fn stage(&self, sighting: Sighting) -> bool {
        lock(&self.state).picture.stage(sighting)
    }

    /// Tells what is staged, if anything is.
    pub(crate) fn tell(&self) {
        self.tell_holding(&lock(&self.telling), &[]);
    }

    /// Sets which devices take part, and tells at once which ones are gone.
    pub(crate) fn set_members(&self, members: &HashSet<DeviceId>) {
        let telling = lock(&self.telling);
        let complete = {
            let picture = &mut lock(&self.state).picture;
            picture.set_members(members);
            picture.is_complete()
        };
        self.tell_holding(&telling, &[]);
        if complete {
            self.answer();
        }
    }

    /// Takes in what the store said of `asked`: the last known positions of those that have one.
    pub(crate) fn seed(&self, asked: &[DeviceId], known: &[Sighting]) {
        let telling = lock(&self.telling);
        {
            let picture = &mut lock(&self.state).picture;
            for sighting in known {
                picture.stage(*sighting);
            }
        }
        self.tell_holding(&telling, asked);
        if lock(&self.state).picture.is_complete() {
            self.answer();
        }
    }

    /// Shows each device that takes part at its place, or nowhere, even if that is a step back in time, and tells
    /// it at once.
    pub(crate) fn correct(&self, places: &HashMap<DeviceId, Option<Sighting>>) {
        let telling = lock(&self.telling);
        {
            let state = &mut *lock(&self.state);
            let mut back = false;
            for (id, place) in places {
                back |= state.picture.correct(id, *place);
            }
            if back {
                state.epoch = Epoch::random();
            }
        }
        self.tell_holding(&telling, &[]);
    }

    /// Devices of which the store has not spoken yet.
    pub(crate) fn unseeded(&self) -> Vec<DeviceId> {
        lock(&self.state).picture.unseeded().collect()
    }

    /// Devices that take part.
    pub(crate) fn members(&self) -> Vec<DeviceId> {
        lock(&self.state).picture.members().collect()
    }

    /// What it is at.
    pub(crate) fn standing(&self) -> TopicStanding {
        TopicStanding {
            event: self.event.clone(),
            devices: self.members().len(),
            viewers: lock(&self.viewers).calls.len(),
            frames: self.seq.load(Ordering::Acquire),
        }
    }

    /// Lets subscriptions be answered with what there is.
    pub(crate) fn answer(&self) {
        self.answerable.send_if_modified(|answerable| !std::mem::replace(answerable, true));
    }

    /// Waits until subscriptions can be answered, but not longer than this.
    pub(crate) async fn answerable(&self, within: Duration) {
        let mut answerable = self.answerable.subscribe();
        drop(tokio::time::timeout(within, answerable.wait_for(|answerable| *answerable)).await);
    }

    fn tell_holding(&self, _telling: &MutexGuard<'_, ()>, spoken_of: &[DeviceId]) {
        let (change, seq) = {
            let state = &mut *lock(&self.state);
            (state.picture.take_staged(), state.recent.seq() + 1)
        };
        let frame = (!change.is_empty()).then(|| self.encode(&change, seq, false));
        let told = frame.is_some();
        {
            let state = &mut *lock(&self.state);
            if let Some(frame) = frame {
                state.picture.show(&change, seq);
                state.recent.push(frame);
                self.seq.store(seq, Ordering::Release);
            }
            for id in spoken_of {
                state.picture.seeded(id);
            }
        }
        if told {
            self.told.notify_one();
        }
    }

    fn encode(&self, change: &Change, seq: u64, conflated: bool) -> Frame {
        let Change { removed, sightings, offered } = change;
        let bytes = self.encoder.positions(&PositionsFrame {
            event: &self.event,
            seq,
            removed,
            positions: sightings,
            conflated,
        });
        let oldest = sightings.iter().filter_map(|sighting| sighting.received_at).min();
        Frame { bytes, oldest, positions: sightings.len() as u64, offered: *offered }
    }

    /// Begins to tell a viewer: with all that it missed, if it is known what it had and nothing of what came
    /// since is gone, else with the whole picture.
    pub(crate) fn begin(&self, since: Option<Since>) -> Beginning {
        let resumed = since.and_then(|since| self.resume(since));
        resumed.unwrap_or_else(|| self.begin_anew())
    }

    fn resume(&self, since: Since) -> Option<Beginning> {
        let state = lock(&self.state);
        let epoch = state.epoch;
        if since.epoch != epoch {
            return None;
        }
        let missed = state.recent.after(since.seq)?.cloned().collect();
        let (cursor, complete) = (Cursor::at_end_of(&state.recent), state.picture.is_complete());
        drop(state);
        let snapshot = self.encoder.snapshot(&[]);
        Some(Beginning { epoch, seq: cursor.seq, snapshot, complete, missed: Some(missed), cursor })
    }

    fn begin_anew(&self) -> Beginning {
        let mut cached = lock(&self.snapshot);
        let state = lock(&self.state);
        let epoch = state.epoch;
        let (cursor, complete) = (Cursor::at_end_of(&state.recent), state.picture.is_complete());
        let seq = cursor.seq;
        let known = cached.as_ref().filter(|known| known.seq == seq && known.complete == complete);
        let snapshot = if let Some(known) = known {
            known.bytes.clone()
        } else {
            let sightings = state.picture.good();
            drop(state);
            let bytes = self.encoder.snapshot(&sightings);
            *cached = Some(Snapshot { seq, complete, bytes: bytes.clone() });
            bytes
        };
        Beginning { epoch, seq, snapshot, complete, missed: None, cursor }
    }

    /// Whether there is something after the cursor.
    pub(crate) fn has_news(&self, cursor: Cursor) -> bool {
        self.seq.load(Ordering::Acquire) != cursor.seq
    }

    /// Hands out everything after the cursor, which moves to the last frame: the frames themselves, or one that stands
    /// for all of them if the viewer is far behind. `take` must not wait, for a lock is held meanwhile.
    pub(crate) fn pull(&self, cursor: &mut Cursor, mut take: impl FnMut(Frame)) -> Result<(), Lost> {
        {
            let state = lock(&self.state);
            let far_behind = state.recent.owed_after(cursor.seq).is_none_or(|owed| {
                owed.bytes > self.backlog_bytes && owed.positions > state.picture.devices() as u64
            });
            if !far_behind && let Some(frames) = state.recent.after(cursor.seq) {
                *cursor = Cursor::at_end_of(&state.recent);
                frames.cloned().for_each(take);
                return Ok(());
            }
        }
        take(self.catch_up(cursor)?);
        Ok(())
    }

    fn catch_up(&self, cursor: &mut Cursor) -> Result<Frame, Lost> {
        let mut cached = lock(&self.catch_up);
        let state = lock(&self.state);
        let (seq, told) = (state.recent.seq(), state.recent.told());
        // What was made for somebody who is even farther behind serves as well: a position that is told twice
        // moves nothing.
        let known = cached.as_ref().filter(|known| known.seq == seq && known.after <= cursor.seq);
        let mut frame = if let Some(known) = known {
            known.frame.clone()
        } else {
            let change = state.picture.changed_after(cursor.seq).ok_or(Lost)?;
            drop(state);
            let frame = self.encode(&change, seq, true);
            *cached = Some(CatchUp { after: cursor.seq, seq, frame: frame.clone() });
            frame
        };
        frame.offered = (told.offered - cursor.offered).max(frame.positions);
        *cursor = Cursor { seq, offered: told.offered };
        Ok(frame)
    }

    /// All who watch, if there is a frame that they were not called for: whoever asks is to call them.
    pub(crate) fn to_be_called(&self) -> Option<Arc<[Call]>> {
        let seq = self.seq.load(Ordering::Acquire);
        if self.called.swap(seq, Ordering::Relaxed) == seq {
            return None;
        }
        let Viewers { calls, all, .. } = &mut *lock(&self.viewers);
        Some(Arc::clone(all.get_or_insert_with(|| calls.values().cloned().collect())))
    }

    /// A viewer, to be called whenever there is something to take.
    pub(crate) fn enter(&self, id: u64, call: Call) {
        let viewers = &mut *lock(&self.viewers);
        viewers.all = None;
        viewers.calls.insert(id, call);
    }

    /// The viewer of this number does not watch any more.
    pub(crate) fn leave(&self, id: u64) {
        let viewers = &mut *lock(&self.viewers);
        viewers.all = None;
        viewers.calls.remove(&id);
        if viewers.calls.is_empty() {
            viewers.nobody_since = Instant::now();
        }
    }

    /// Whether nobody has watched it for this long.
    pub(crate) fn is_deserted(&self, time: Duration) -> bool {
        let viewers = lock(&self.viewers);
        viewers.calls.is_empty() && viewers.nobody_since.elapsed() >= time
    }
}

impl Cursor {
    fn at_end_of(recent: &Recent) -> Self {
        Self { seq: recent.seq(), offered: recent.told().offered }
    }
}
