//! What is in the stream, and whose it is.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use processor_domain::{EntryId, Standing, Timestamp, TraceParent};

mod consumers;

/// Most bytes of payload in a batch, unless a single entry has more.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// One entry of the stream.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: EntryId,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) trace_parent: Option<TraceParent>,
}

/// Who asks: one consumer of the group, since one of its starts.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) consumer: Arc<str>,
    /// Another number for each start.
    number: u64,
}

/// An entry as it is handed to a consumer.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) entry: Entry,
    /// How often, this time included.
    pub(crate) deliveries: u32,
}

/// The entries that are not settled: first those not yet delivered to anyone, then those that are.
///
/// It is told the time and never waits.
#[derive(Debug, Default)]
pub(crate) struct Log {
    last_id: EntryId,
    sessions: u64,
    undelivered: VecDeque<Entry>,
    pending: BTreeMap<EntryId, Pending>,
    /// When each consumer last asked for anything.
    asked: BTreeMap<Arc<str>, Timestamp>,
}

#[derive(Debug)]
struct Pending {
    entry: Entry,
    session: Session,
    /// When it was last delivered, or its consumer last said that it is at work on it.
    touched: Timestamp,
    deliveries: u32,
}

/// What still has room in a batch.
struct Room {
    entries: usize,
    bytes: usize,
}

impl Log {
    /// Puts an entry at the end. Its id is the time, and greater than every id before it even if the clock went
    /// back.
    pub(crate) fn append(
        &mut self,
        payload: &[u8],
        trace_parent: Option<TraceParent>,
        now: Timestamp,
    ) -> EntryId {
        self.last_id = self.last_id.next(now);
        self.undelivered.push_back(Entry { id: self.last_id, payload: payload.into(), trace_parent });
        self.last_id
    }

    /// The entry that was put at the end last, if nobody was given it yet.
    pub(crate) fn newest(&self) -> Option<&Entry> {
        self.undelivered.back()
    }

    /// A start of this consumer, and what it was given before and has not settled.
    pub(crate) fn start(&mut self, consumer: Arc<str>, now: Timestamp) -> (Session, VecDeque<EntryId>) {
        self.sessions += 1;
        self.asks(&consumer, now);
        let session = Session { consumer, number: self.sessions };
        let left = self.pending.iter().filter(|(_, pending)| pending.session.same_consumer(&session));
        (session.clone(), left.map(|(id, _)| *id).collect())
    }

    /// Delivers the oldest entries that nobody was given.
    pub(crate) fn deliver(&mut self, session: &Session, most: NonZeroUsize, now: Timestamp) -> Vec<Handed> {
        self.asks(&session.consumer, now);
        let mut room = Room::of(most);
        let mut handed = Vec::new();
        while let Some(entry) = self.undelivered.pop_front_if(|entry| room.takes(entry)) {
            let mut pending =
                Pending { entry: entry.clone(), session: session.clone(), touched: now, deliveries: 0 };
            handed.push(pending.hand_to(session, now));
            self.pending.insert(entry.id, pending);
        }
        handed
    }

    /// Delivers again the first of `left` and takes them off it. Those that were settled or taken over in the
    /// meantime are passed over, also if this session has taken them back: it has them already.
    pub(crate) fn redeliver(
        &mut self,
        session: &Session,
        left: &mut VecDeque<EntryId>,
        most: NonZeroUsize,
        now: Timestamp,
    ) -> Vec<Handed> {
        self.asks(&session.consumer, now);
        let mut room = Room::of(most);
        let mut handed = Vec::new();
        while let Some(id) = left.front() {
            if let Some(pending) = self.pending.get_mut(id).filter(|pending| pending.session.before(session))
            {
                if !room.takes(&pending.entry) {
                    break;
                }
                handed.push(pending.hand_to(session, now));
            }
            left.pop_front();
        }
        handed
    }

    /// Delivers what other consumers have not touched for `idle`.
    pub(crate) fn take_over(
        &mut self,
        session: &Session,
        idle: Duration,
        most: NonZeroUsize,
        now: Timestamp,
    ) -> Vec<Handed> {
        self.asks(&session.consumer, now);
        let mut room = Room::of(most);
        self.pending
            .values_mut()
            .filter(|pending| !pending.session.same_consumer(session) && now.since(pending.touched) >= idle)
            .take_while(|pending| room.takes(&pending.entry))
            .map(|pending| pending.hand_to(session, now))
            .collect()
    }

    /// Everything delivered in this session is being worked on.
    pub(crate) fn touch(&mut self, session: &Session, now: Timestamp) {
        self.asks(&session.consumer, now);
        for pending in self.pending.values_mut().filter(|pending| pending.session.number == session.number) {
            pending.touched = now;
        }
    }

    /// Takes entries out of the stream and says how many of them were in it and delivered.
    pub(crate) fn settle(&mut self, entries: impl Iterator<Item = EntryId>) -> usize {
        entries.filter(|id| self.pending.remove(id).is_some()).count()
    }

    /// How far the consumers are, all together.
    pub(crate) fn standing(&self) -> Standing {
        let oldest_pending = self.pending.keys().next().copied();
        let oldest_undelivered = self.undelivered.front().map(|entry| entry.id);
        let oldest = oldest_pending.into_iter().chain(oldest_undelivered).min();
        Standing {
            lag: Some(self.undelivered.len() as u64),
            pending: self.pending.len() as u64,
            oldest_unprocessed: oldest.map(EntryId::received_at),
            ..Standing::default()
        }
    }

    /// Every entry that is not settled, in the order of the stream.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.pending.values().map(|pending| &pending.entry).chain(&self.undelivered)
    }
}

impl Session {
    fn same_consumer(&self, other: &Self) -> bool {
        self.consumer == other.consumer
    }

    /// Whether this is an earlier start of the same consumer.
    fn before(&self, other: &Self) -> bool {
        self.same_consumer(other) && self.number < other.number
    }
}

impl Pending {
    fn hand_to(&mut self, session: &Session, now: Timestamp) -> Handed {
        self.session = session.clone();
        self.touched = now;
        self.deliveries = self.deliveries.saturating_add(1);
        Handed { entry: self.entry.clone(), deliveries: self.deliveries }
    }
}

impl Room {
    const fn of(entries: NonZeroUsize) -> Self {
        Self { entries: entries.get(), bytes: MAX_BATCH_BYTES }
    }

    /// Whether there is room for this entry; if so it has it. The first entry always has room.
    fn takes(&mut self, entry: &Entry) -> bool {
        let first = self.bytes == MAX_BATCH_BYTES;
        if self.entries == 0 || (entry.payload.len() > self.bytes && !first) {
            return false;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(entry.payload.len());
        true
    }
}

#[cfg(test)]
mod tests;
