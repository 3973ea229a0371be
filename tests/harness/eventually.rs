use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds what `what` describes, and returns what it found.
///
/// `look` answers `Err` with what it saw instead; the last answer is part of the panic's message.
///
/// # Panics
/// If it has not come true within `limit`.
pub async fn eventually<T, E: Debug>(
    limit: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let patience = Patience::new(limit, what);
    let mut last_seen = None;
    loop {
        match timeout_at(patience.end, look()).await {
            Ok(Ok(found)) => return found,
            Ok(Err(seen)) => patience.look_again(last_seen.insert(seen)).await,
            Err(_) => match last_seen {
                Some(seen) => patience.end(&seen),
                None => patience.end(&"nothing, for looking took longer than that"),
            },
        }
    }
}

/// [`eventually`] as a loop of one's own: what that returns is not [`Send`], because nothing can be said of what
/// an asynchronous closure returns.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    limit: Duration,
    end: Instant,
    what: &'a str,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(limit: Duration, what: &'a str) -> Self {
        Self { limit, end: Instant::now() + limit, what }
    }

    /// Whether there is no time for another look.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() + PAUSE > self.end
    }

    /// Waits a moment before the next look, in place of which this was `seen`.
    ///
    /// # Panics
    /// If there is no time for another look.
    pub(crate) async fn look_again(&self, seen: &impl Debug) {
        if self.is_over() {
            self.end(seen);
        }
        sleep(PAUSE).await;
    }

    fn end(&self, seen: &impl Debug) -> ! {
        panic!("not within {:?}: {}; last seen: {seen:?}", self.limit, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_what_was_found_in_the_end() {
        let mut looks = 0;
        let found = eventually(Duration::from_secs(5), "the third look", async || {
            looks += 1;
            if looks == 3 { Ok("found") } else { Err(looks) }
        })
        .await;
        assert_eq!(found, "found");
    }

    #[tokio::test]
    #[should_panic(expected = "not within 50ms: the moon is blue; last seen: \"grey\"")]
    async fn says_what_was_seen_instead() {
        let moon = async || Err::<(), _>("grey");
        eventually(Duration::from_millis(50), "the moon is blue", moon).await;
    }

    #[tokio::test]
    #[should_panic(expected = "looking took longer than that")]
    async fn does_not_hang_with_the_look() {
        let stuck = async || std::future::pending::<Result<(), ()>>().await;
        eventually(Duration::from_millis(50), "an answer", stuck).await;
    }
}
