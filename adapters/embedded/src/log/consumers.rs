//! Who reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use processor_domain::{Consumer, EntryId, Timestamp};

use super::Log;

impl Log {
    /// Every consumer that has started and was not forgotten, by name; `own` is who asks.
    pub(crate) fn consumers(&self, own: &str, now: Timestamp) -> Vec<Consumer> {
        let held = self.held();
        let consumer = |(name, asked): (&Arc<str>, &Timestamp)| {
            let (pending, oldest_pending) = held.get(&**name).copied().unzip();
            Consumer {
                name: (&**name).into(),
                own: **name == *own,
                pending: pending.unwrap_or_default(),
                oldest_pending,
                idle: now.since(*asked),
            }
        };
        self.asked.iter().map(consumer).collect()
    }

    /// Forgets those that hold nothing and have not asked for longer than `idle`, all but `own`.
    pub(crate) fn forget(&mut self, own: &str, idle: Duration, now: Timestamp) -> Vec<Box<str>> {
        let consumers = self.consumers(own, now);
        let gone = consumers.into_iter();
        let gone = gone.filter(|consumer| !consumer.own && consumer.pending == 0 && consumer.idle > idle);
        let gone: Vec<_> = gone.map(|consumer| consumer.name).collect();
        for name in &gone {
            self.asked.remove(&**name);
        }
        gone
    }

    pub(super) fn asks(&mut self, consumer: &Arc<str>, now: Timestamp) {
        match self.asked.get_mut(&**consumer) {
            Some(asked) => *asked = now,
            None => _ = self.asked.insert(Arc::clone(consumer), now),
        }
    }

    /// How many entries each consumer holds, and the oldest of them.
    fn held(&self) -> BTreeMap<&str, (u64, EntryId)> {
        let mut held = BTreeMap::new();
        for (id, pending) in &self.pending {
            held.entry(&*pending.session.consumer).or_insert((0, *id)).0 += 1;
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    const MANY: NonZeroUsize = NonZeroUsize::new(100).unwrap();

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(1_000 * second)
    }

    fn names(consumers: &[Consumer]) -> Vec<&str> {
        consumers.iter().map(|consumer| &*consumer.name).collect()
    }

    #[test]
    fn only_those_that_hold_nothing_and_do_not_ask_are_forgotten() {
        let mut log = Log::default();
        let first = log.append(b"1", None, at(0));
        let [own, holds, asks, _] =
            ["own", "holds", "asks", "gone"].map(|name| log.start(name.into(), at(0)).0);
        assert_eq!(log.deliver(&holds, MANY, at(0)).len(), 1);
        log.deliver(&asks, MANY, at(50));

        let consumers = log.consumers("own", at(60));
        assert_eq!(names(&consumers), ["asks", "gone", "holds", "own"]);
        assert_eq!((consumers[2].pending, consumers[2].oldest_pending), (1, Some(first)));
        assert_eq!(consumers.iter().map(|c| c.idle.as_secs()).collect::<Vec<_>>(), [10, 60, 60, 60]);
        assert!(consumers[3].own && !consumers[0].own);

        assert!(log.forget("own", Duration::from_mins(1), at(60)).is_empty());
        assert_eq!(log.forget("own", Duration::from_secs(59), at(60)), ["gone".into()]);
        assert_eq!(names(&log.consumers("own", at(60))), ["asks", "holds", "own"]);

        log.deliver(&own, MANY, at(60));
        assert_eq!(log.take_over(&own, Duration::ZERO, MANY, at(60)).len(), 1);
        assert_eq!(log.forget("own", Duration::from_secs(20), at(60)), ["holds".into()]);
    }
}
