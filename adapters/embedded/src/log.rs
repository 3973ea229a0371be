//! What is in the stream, and whose it is.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use processor_domain::{EntryId, Standing, Timestamp, TraceParent};

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
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        self.last_id = if millis > self.last_id.millis {
            EntryId { millis, sequence: 0 }
        } else {
            EntryId { millis: self.last_id.millis, sequence: self.last_id.sequence + 1 }
        };
        self.undelivered.push_back(Entry { id: self.last_id, payload: payload.into(), trace_parent });
        self.last_id
    }

    /// The entry that was put at the end last, if nobody was given it yet.
    pub(crate) fn newest(&self) -> Option<&Entry> {
        self.undelivered.back()
    }

    /// A start of this consumer, and what it was given before and has not settled.
    pub(crate) fn start(&mut self, consumer: Arc<str>) -> (Session, VecDeque<EntryId>) {
        self.sessions += 1;
        let session = Session { consumer, number: self.sessions };
        let left = self.pending.iter().filter(|(_, pending)| pending.session.same_consumer(&session));
        (session.clone(), left.map(|(id, _)| *id).collect())
    }

    /// Delivers the oldest entries that nobody was given.
    pub(crate) fn deliver(&mut self, session: &Session, most: NonZeroUsize, now: Timestamp) -> Vec<Handed> {
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
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    const MANY: NonZeroUsize = NonZeroUsize::new(100).unwrap();

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn ids(handed: &[Handed]) -> Vec<EntryId> {
        handed.iter().map(|handed| handed.entry.id).collect()
    }

    #[test]
    fn ids_grow_though_the_clock_goes_back() {
        let mut log = Log::default();
        let ids = [5, 5, 3, 6, -1].map(|millis| log.append(b"", None, at(millis)).to_string());
        assert_eq!(ids, ["5-0", "5-1", "5-2", "6-0", "6-1"]);
    }

    #[test]
    fn a_batch_is_bounded_in_bytes_but_takes_any_single_entry() {
        let mut log = Log::default();
        let large = vec![0; MAX_BATCH_BYTES / 2 + 1];
        let huge = vec![0; MAX_BATCH_BYTES + 1];
        for payload in [&large, &large, &huge, &large] {
            log.append(payload, None, at(1));
        }
        let (session, _) = log.start("one".into());
        let sizes: Vec<_> = std::iter::from_fn(|| {
            let handed = log.deliver(&session, MANY, at(1));
            (!handed.is_empty()).then_some(handed.len())
        })
        .collect();
        assert_eq!(sizes, [1, 1, 1, 1]);
    }

    #[test]
    fn keeping_in_flight_is_for_what_was_delivered_since_the_last_start() {
        let mut log = Log::default();
        let idle = Duration::from_millis(10);
        let first = log.append(b"", None, at(0));
        let (before, _) = log.start("one".into());
        log.deliver(&before, MANY, at(0));
        let second = log.append(b"", None, at(0));
        let (after, left) = log.start("one".into());
        log.deliver(&after, MANY, at(0));
        assert_eq!(left, [first]);

        log.touch(&after, at(10));
        let (other, _) = log.start("two".into());
        assert_eq!(ids(&log.take_over(&other, idle, MANY, at(10))), [first]);
        assert_eq!(ids(&log.take_over(&other, idle, MANY, at(20))), [second]);
    }

    #[test]
    fn what_was_taken_over_and_taken_back_is_not_delivered_again() {
        let mut log = Log::default();
        let only = log.append(b"", None, at(0));
        let (before, _) = log.start("one".into());
        log.deliver(&before, MANY, at(0));
        let (after, mut left) = log.start("one".into());
        let (other, _) = log.start("two".into());
        for (session, now) in [(&other, 10), (&after, 20)] {
            assert_eq!(ids(&log.take_over(session, Duration::from_millis(10), MANY, at(now))), [only]);
        }
        assert_eq!(ids(&log.redeliver(&after, &mut left, MANY, at(20))), []);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Append,
        Deliver(usize),
        Start(usize),
        Redeliver(usize),
        TakeOver(usize),
        Settle(prop::sample::Index),
        Wait(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Append),
            3 => (0..2_usize).prop_map(Step::Deliver),
            1 => (0..2_usize).prop_map(Step::Start),
            1 => (0..2_usize).prop_map(Step::Redeliver),
            1 => (0..2_usize).prop_map(Step::TakeOver),
            2 => any::<prop::sample::Index>().prop_map(Step::Settle),
            2 => (-5..20_i64).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        /// Whatever the consumers do: no entry is lost, none is given to one consumer again unless it has started
        /// anew or taken it over, new ones come once and in order, and the standing is exact.
        #[test]
        fn every_entry_is_somebodys_until_it_is_settled(steps in steps()) {
            let most = NonZeroUsize::new(2).unwrap();
            let mut log = Log::default();
            let mut consumers = ["one", "two"].map(|name| log.start(name.into()));
            let mut in_hand = [BTreeSet::new(), BTreeSet::new()];
            let (mut appended, mut new, mut settled) = (Vec::new(), Vec::new(), BTreeSet::new());
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Append => appended.push(log.append(b"x", None, at(now))),
                    Step::Wait(millis) => now += millis,
                    Step::Start(who) => {
                        consumers[who] = log.start(Arc::clone(&consumers[who].0.consumer));
                        in_hand[who].clear();
                    }
                    Step::Deliver(who) => {
                        for id in ids(&log.deliver(&consumers[who].0, most, at(now))) {
                            new.push(id);
                            prop_assert!(in_hand[who].insert(id));
                        }
                    }
                    Step::Redeliver(who) => {
                        let (session, left) = &mut consumers[who];
                        for handed in log.redeliver(session, left, most, at(now)) {
                            prop_assert!(handed.deliveries > 1);
                            prop_assert!(in_hand[who].insert(handed.entry.id));
                        }
                    }
                    Step::TakeOver(who) => {
                        let idle = Duration::from_millis(10);
                        for handed in log.take_over(&consumers[who].0, idle, most, at(now)) {
                            prop_assert!(handed.deliveries > 1);
                            in_hand[1 - who].remove(&handed.entry.id);
                            prop_assert!(in_hand[who].insert(handed.entry.id));
                        }
                    }
                    Step::Settle(index) if !new.is_empty() => {
                        let id = new[index.index(new.len())];
                        prop_assert_eq!(log.settle([id, id].into_iter()), usize::from(settled.insert(id)));
                        for held in &mut in_hand {
                            held.remove(&id);
                        }
                    }
                    Step::Settle(_) => {}
                }
                prop_assert_eq!(&new[..], &appended[..new.len()]);
                let standing = log.standing();
                prop_assert_eq!(standing.lag, Some((appended.len() - new.len()) as u64));
                prop_assert_eq!(standing.pending, (new.len() - settled.len()) as u64);
                let open: Vec<_> = appended.iter().filter(|id| !settled.contains(id)).copied().collect();
                prop_assert_eq!(standing.oldest_unprocessed, open.first().map(|id| id.received_at()));
                let mut entries: Vec<_> = log.entries().map(|entry| entry.id).collect();
                entries.sort();
                prop_assert_eq!(entries, open);
            }
        }
    }
}
