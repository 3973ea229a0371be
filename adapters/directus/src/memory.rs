//! What was answered a short while ago, and what is being asked at the moment.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use lru::LruCache;
use tokio::time::Instant;

use crate::failure::DirectusFailure;

/// An answer that may be remembered.
#[derive(Clone, Debug)]
pub(crate) struct Learned<V> {
    pub(crate) value: V,
    /// The moment from which on it must be asked again.
    pub(crate) until: Instant,
}

type Outcome<V> = Result<V, Arc<DirectusFailure>>;
type Asking<V> = BoxFuture<'static, Outcome<V>>;

/// The answers to one kind of question: bounded, each for a limited time; and the questions under way, so that
/// all who ask the same at the same time share one answer.
///
/// A question is driven by whoever waits for its answer and belongs to none of them: it goes on when one of them
/// goes away, and ends when the last does. A failure is told to all who wait and is not remembered.
pub(crate) struct Memory<K, V> {
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    known: LruCache<K, Learned<V>, RandomState>,
    asked: HashMap<K, Asked<V>, RandomState>,
    questions: u64,
}

struct Asked<V> {
    number: u64,
    answer: WeakShared<Asking<V>>,
}

impl<K, V> Memory<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(capacity: NonZeroUsize) -> Arc<Self> {
        let known = LruCache::with_hasher(capacity, RandomState::default());
        Arc::new(Self { state: Mutex::new(State { known, asked: HashMap::default(), questions: 0 }) })
    }

    /// The answer that is remembered; if there is none, the one that is on its way; if there is none either, the
    /// one that `question` brings.
    ///
    /// # Cancel safety
    /// Cancel safe: others who wait for the same answer get it.
    pub(crate) async fn recall_or_ask<F>(self: &Arc<Self>, key: K, question: impl FnOnce() -> F) -> Outcome<V>
    where
        F: Future<Output = Result<Learned<V>, DirectusFailure>> + Send + 'static,
    {
        let answer = {
            let mut state = self.state();
            let now = Instant::now();
            if let Some(learned) = state.known.get(&key).filter(|learned| now < learned.until) {
                return Ok(learned.value.clone());
            }
            let under_way = state.asked.get(&key).and_then(|asked| asked.answer.upgrade());
            under_way.unwrap_or_else(|| self.ask(&mut state, key, question()))
        };
        answer.await
    }

    /// Forgets the answer, and does not remember the one that is on its way.
    pub(crate) fn forget(&self, key: &K) {
        let mut state = self.state();
        state.known.pop(key);
        state.asked.remove(key);
    }

    fn ask<F>(self: &Arc<Self>, state: &mut State<K, V>, key: K, question: F) -> Shared<Asking<V>>
    where
        F: Future<Output = Result<Learned<V>, DirectusFailure>> + Send + 'static,
    {
        state.questions += 1;
        let under_way = UnderWay { memory: Arc::clone(self), key: key.clone(), number: state.questions };
        let answer = async move {
            let learned = question.await.map_err(Arc::new)?;
            under_way.remember(learned.clone());
            Ok(learned.value)
        };
        let answer = answer.boxed().shared();
        if let Some(weak) = answer.downgrade() {
            state.asked.insert(key, Asked { number: state.questions, answer: weak });
        }
        answer
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question under way: it is on the list until it is answered or nobody wants the answer any more.
struct UnderWay<K: Hash + Eq, V> {
    memory: Arc<Memory<K, V>>,
    key: K,
    number: u64,
}

impl<K: Hash + Eq + Clone, V> UnderWay<K, V> {
    /// Keeps the answer, unless it was to be forgotten while it was on its way.
    fn remember(&self, learned: Learned<V>) {
        let mut state = self.memory.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.asked.get(&self.key).is_some_and(|asked| asked.number == self.number) {
            state.known.put(self.key.clone(), learned);
        }
    }
}

impl<K: Hash + Eq, V> Drop for UnderWay<K, V> {
    fn drop(&mut self) {
        let mut state = self.memory.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.asked.get(&self.key).is_some_and(|asked| asked.number == self.number) {
            state.asked.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use futures::channel::oneshot;
    use futures::future::{join_all, pending, ready};
    use tokio::time::advance;

    fn memory() -> Arc<Memory<u8, u32>> {
        Memory::new(NonZeroUsize::new(4).unwrap())
    }

    fn for_a_second(value: u32) -> Learned<u32> {
        Learned { value, until: Instant::now() + Duration::from_secs(1) }
    }

    fn under_way(memory: &Memory<u8, u32>) -> usize {
        memory.state().asked.len()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_remembered_until_its_time_and_not_longer() {
        let memory = memory();
        let ask = |value| memory.recall_or_ask(1, move || ready(Ok(for_a_second(value))));
        assert_eq!(ask(10).await.unwrap(), 10);
        advance(Duration::from_millis(999)).await;
        assert_eq!(ask(11).await.unwrap(), 10);
        advance(Duration::from_millis(1)).await;
        assert_eq!(ask(12).await.unwrap(), 12);
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_question_is_asked_once_however_many_ask_it() {
        let memory = memory();
        let questions = &AtomicUsize::new(0);
        let answers = join_all((0..100_u8).map(|number| {
            memory.recall_or_ask(number % 2, move || {
                questions.fetch_add(1, Ordering::Relaxed);
                async move {
                    tokio::task::yield_now().await;
                    Ok(for_a_second(u32::from(number % 2)))
                }
            })
        }))
        .await;
        assert_eq!(questions.load(Ordering::Relaxed), 2);
        assert!((0..).zip(answers).all(|(number, answer)| answer.unwrap() == number % 2));
        assert_eq!(under_way(&memory), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_to_all_who_wait_and_to_nobody_after() {
        let memory = memory();
        let failing = || async {
            tokio::task::yield_now().await;
            Err(DirectusFailure::Unexpected("is odd"))
        };
        let both = join_all((0..2).map(|_| memory.recall_or_ask(1, failing))).await;
        assert!(both.iter().all(Result::is_err));
        assert_eq!(memory.recall_or_ask(1, || ready(Ok(for_a_second(5)))).await.unwrap(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_outlives_who_asked_it_first_and_not_who_asked_it_last() {
        let memory = memory();
        let (answer, answered) = oneshot::channel();
        let question = || async move { Ok(for_a_second(answered.await.unwrap())) };
        let mut first = Box::pin(memory.recall_or_ask(1, question));
        assert!((&mut first).now_or_never().is_none());
        let mut second = Box::pin(memory.recall_or_ask(1, pending));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert_eq!(under_way(&memory), 1);
        answer.send(7).unwrap();
        assert_eq!(second.await.unwrap(), 7);

        let mut alone = Box::pin(memory.recall_or_ask(2, pending));
        assert!((&mut alone).now_or_never().is_none());
        drop(alone);
        assert_eq!(under_way(&memory), 0);
        assert_eq!(memory.recall_or_ask(2, || ready(Ok(for_a_second(8)))).await.unwrap(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forgotten_while_it_is_asked_is_not_remembered_after() {
        let memory = memory();
        let (answer, answered) = oneshot::channel();
        let mut first =
            Box::pin(memory.recall_or_ask(1, || async move { Ok(for_a_second(answered.await.unwrap())) }));
        assert!((&mut first).now_or_never().is_none());
        memory.forget(&1);
        let newer = memory.recall_or_ask(1, || ready(Ok(for_a_second(2)))).await;
        answer.send(1).unwrap();
        assert_eq!((newer.unwrap(), first.await.unwrap()), (2, 1));
        assert_eq!(memory.recall_or_ask(1, pending).await.unwrap(), 2);
        memory.forget(&1);
        assert!(memory.recall_or_ask(1, pending).now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_answer_used_least_recently_makes_room() {
        let memory = memory();
        let ask = |key| memory.recall_or_ask(key, move || ready(Ok(for_a_second(key.into()))));
        for key in [0, 1, 2, 3, 0, 4] {
            ask(key).await.unwrap();
        }
        assert_eq!(memory.state().known.len(), 4);
        assert!(memory.recall_or_ask(0, pending).now_or_never().is_some());
        assert!(memory.recall_or_ask(1, pending).now_or_never().is_none());
    }
}
