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
    let (session, _) = log.start("one".into(), at(0));
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
    let (before, _) = log.start("one".into(), at(0));
    log.deliver(&before, MANY, at(0));
    let second = log.append(b"", None, at(0));
    let (after, left) = log.start("one".into(), at(0));
    log.deliver(&after, MANY, at(0));
    assert_eq!(left, [first]);

    log.touch(&after, at(10));
    let (other, _) = log.start("two".into(), at(0));
    assert_eq!(ids(&log.take_over(&other, idle, MANY, at(10))), [first]);
    assert_eq!(ids(&log.take_over(&other, idle, MANY, at(20))), [second]);
}

#[test]
fn what_was_taken_over_and_taken_back_is_not_delivered_again() {
    let mut log = Log::default();
    let only = log.append(b"", None, at(0));
    let (before, _) = log.start("one".into(), at(0));
    log.deliver(&before, MANY, at(0));
    let (after, mut left) = log.start("one".into(), at(0));
    let (other, _) = log.start("two".into(), at(0));
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
        let mut consumers = ["one", "two"].map(|name| log.start(name.into(), at(0)));
        let mut in_hand = [BTreeSet::new(), BTreeSet::new()];
        let (mut appended, mut new, mut settled) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut now = 0;
        for step in steps {
            match step {
                Step::Append => appended.push(log.append(b"x", None, at(now))),
                Step::Wait(millis) => now += millis,
                Step::Start(who) => {
                    consumers[who] = log.start(Arc::clone(&consumers[who].0.consumer), at(now));
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
