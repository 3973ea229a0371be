//! Whose turn it is to ask, so that Directus is never asked too much at once.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::failure::DirectusFailure;

const SECOND: Duration = Duration::from_secs(1);

/// Lets questions through in the order in which they came: never more than so many at once, never more than so
/// many within any second, none while Directus wants to be left alone.
///
/// Whoever cannot have a turn in time is sent away, and the number of those who wait is bounded by how many can
/// have a turn in that time.
pub(crate) struct Turnstile {
    in_flight: Semaphore,
    places: Semaphore,
    window: Mutex<Window>,
    patience: Duration,
}

/// The right to have one question under way, until it is dropped.
pub(crate) struct Turn<'a> {
    _permit: SemaphorePermit<'a>,
}

impl Turnstile {
    pub(crate) fn new(per_second: NonZeroUsize, max_in_flight: NonZeroUsize, patience: Duration) -> Self {
        let seconds = usize::try_from(patience.as_secs()).unwrap_or(usize::MAX).saturating_add(1);
        let places = per_second.get().saturating_mul(seconds).min(Semaphore::MAX_PERMITS);
        Self {
            in_flight: Semaphore::new(max_in_flight.get().min(Semaphore::MAX_PERMITS)),
            places: Semaphore::new(places),
            window: Mutex::new(Window::new(per_second)),
            patience,
        }
    }

    /// Waits for a turn.
    ///
    /// # Cancel safety
    /// Cancel safe. A start that was reserved and not used still counts against its second.
    ///
    /// # Errors
    /// [`DirectusFailure::NoTurn`] at once if it cannot come in time, otherwise when it did not.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, DirectusFailure> {
        let latest = Instant::now() + self.patience;
        let Ok(_place) = self.places.try_acquire() else {
            return Err(DirectusFailure::NoTurn { retry_after: self.patience });
        };
        let Ok(Ok(permit)) = timeout_at(latest, self.in_flight.acquire()).await else {
            return Err(DirectusFailure::NoTurn { retry_after: self.patience });
        };
        loop {
            let now = Instant::now();
            let start = self.window().reserve(now, latest);
            let start = start.map_err(|free| DirectusFailure::NoTurn { retry_after: free - now })?;
            sleep_until(start).await;
            // It may have been said meanwhile that Directus wants to be left alone.
            if !self.window().paused(Instant::now()) {
                return Ok(Turn { _permit: permit });
            }
        }
    }

    /// Lets nobody through for so long.
    pub(crate) fn pause(&self, duration: Duration) {
        let until = Instant::now() + duration;
        let mut window = self.window();
        window.paused_until = window.paused_until.max(Some(until));
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the latest questions started, or will start.
#[derive(Debug)]
struct Window {
    per_second: NonZeroUsize,
    /// As many as may start within a second at most, oldest first.
    starts: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

impl Window {
    const fn new(per_second: NonZeroUsize) -> Self {
        Self { per_second, starts: VecDeque::new(), paused_until: None }
    }

    /// The next moment from `now` on at which a question may start, which is taken by this; as an error, and
    /// taken by nobody, if it is after `latest`.
    fn reserve(&mut self, now: Instant, latest: Instant) -> Result<Instant, Instant> {
        let full = self.starts.len() >= self.per_second.get();
        let oldest = self.starts.front().filter(|_| full).map(|oldest| *oldest + SECOND);
        let start = now.max(oldest.unwrap_or(now)).max(self.paused_until.unwrap_or(now));
        if start > latest {
            return Err(start);
        }
        if full {
            self.starts.pop_front();
        }
        self.starts.push_back(start);
        Ok(start)
    }

    fn paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::join_all;
    use proptest::prelude::*;

    fn turnstile(per_second: usize, max_in_flight: usize, patience: Duration) -> Turnstile {
        let count = |number| NonZeroUsize::new(number).unwrap();
        Turnstile::new(count(per_second), count(max_in_flight), patience)
    }

    proptest! {
        #[test]
        fn no_second_has_more_starts_than_allowed(
            per_second in 1_usize..6,
            arrivals in prop::collection::vec((0_u64..400, 0_u64..1500), 1..60),
        ) {
            let mut window = Window::new(NonZeroUsize::new(per_second).unwrap());
            let mut now = Instant::now();
            let mut starts = Vec::new();
            for (gap, patience) in arrivals {
                now += Duration::from_millis(gap);
                if let Ok(start) = window.reserve(now, now + Duration::from_millis(patience)) {
                    prop_assert!(start >= now && start <= now + Duration::from_millis(patience));
                    starts.push(start);
                }
            }
            prop_assert!(starts.is_sorted());
            for several in starts.windows(per_second + 1) {
                prop_assert!(several[per_second] - several[0] >= SECOND);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_beyond_the_limit_come_a_second_later_and_those_beyond_patience_not_at_all() {
        let turnstile = turnstile(10, 100, Duration::from_millis(1500));
        let began = Instant::now();
        let turns = join_all((0..50).map(|_| async {
            let turn = turnstile.turn().await;
            turn.map(|_| began.elapsed().as_millis()).map_err(|failure| failure.retry_after())
        }))
        .await;
        let after = |wait| turns.iter().filter(|turn| **turn == Ok(wait)).count();
        assert_eq!((after(0), after(1000)), (10, 10));
        assert!(turns.iter().filter_map(|turn| turn.as_ref().err()).all(Option::is_some));
        assert_eq!(began.elapsed(), SECOND, "nobody waits in vain");
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_under_way_at_once() {
        let turnstile = turnstile(100, 2, SECOND);
        let first = turnstile.turn().await.unwrap();
        let _second = turnstile.turn().await.unwrap();
        let mut third = Box::pin(turnstile.turn());
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        assert!(third.await.is_ok());
        let began = Instant::now();
        let _third = turnstile.turn().await.unwrap();
        assert!(turnstile.turn().await.is_err());
        assert_eq!(began.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_is_no_longer_than_can_be_served() {
        let turnstile = turnstile(3, 1, SECOND);
        let _busy = turnstile.turn().await.unwrap();
        let mut line: Vec<_> = (0..10).map(|_| Box::pin(turnstile.turn())).collect();
        let sent_away = line.iter_mut().filter_map(FutureExt::now_or_never).count();
        assert_eq!(sent_away, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_passes_while_directus_wants_to_be_left_alone() {
        let turnstile = turnstile(1, 4, 2 * SECOND);
        turnstile.turn().await.unwrap();
        let mut waiting = Box::pin(turnstile.turn());
        assert!((&mut waiting).now_or_never().is_none());
        turnstile.pause(3 * SECOND);
        let refused = turnstile.turn().await.err().and_then(|failure| failure.retry_after());
        assert_eq!(refused, Some(3 * SECOND));
        turnstile.pause(SECOND);
        assert!(waiting.await.is_err(), "a shorter pause does not end the longer one");
        let began = Instant::now();
        assert!(turnstile.turn().await.is_ok());
        assert_eq!(began.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_line() {
        let turnstile = turnstile(2, 1, SECOND);
        let busy = turnstile.turn().await.unwrap();
        for _ in 0..20 {
            assert!(turnstile.turn().now_or_never().is_none());
        }
        drop(busy);
        assert!(turnstile.turn().await.is_ok());
    }
}
