//! Waiting for something that is away.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Shortest wait; with jitter it is between this and twice as long.
const RETRY_AT_LEAST: Duration = Duration::from_millis(100);

/// Target of the events that are told to the trace of what is being done, and are no lines of the log.
pub const TRACE_EVENTS: &str = "processor_trace_events";

/// Keeps count of one outage: says once that it began and once that it ended, and waits longer each time.
pub struct Outage {
    what: &'static str,
    retry_at_most: Duration,
    began: Option<Instant>,
    backoff: ExponentialBackoff,
}

impl Outage {
    /// No outage yet of `what`, a noun; two attempts are never more than about twice `retry_at_most` apart.
    #[must_use]
    pub fn of(what: &'static str, retry_at_most: Duration) -> Self {
        Self { what, retry_at_most, began: None, backoff: backoff(retry_at_most) }
    }

    /// Takes note of a failure and waits before the next attempt. `false` if it was told to stop instead.
    ///
    /// Each failure is an event of the span in which this is called, however many there are; the log has a line for
    /// the first one.
    pub async fn wait<E>(&mut self, error: &E, stop: &CancellationToken) -> bool
    where
        E: std::error::Error + Sync + 'static,
    {
        if self.began.is_none() {
            self.began = Some(Instant::now());
            tracing::warn!(
                error = chain(error),
                "{} is unavailable, trying again until it is back",
                self.what
            );
        } else {
            tracing::debug!(error = chain(error), "{} is still unavailable", self.what);
        }
        tracing::info!(target: TRACE_EVENTS, { error.message = chain(error) }, "retry");
        let pause = self.backoff.next().unwrap_or(self.retry_at_most);
        stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
    }

    /// Takes note of a success.
    pub fn over(&mut self) {
        if let Some(began) = self.began.take() {
            tracing::info!(seconds = began.elapsed().as_secs_f64(), "{} is back", self.what);
            self.backoff = backoff(self.retry_at_most);
        }
    }
}

fn backoff(at_most: Duration) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(RETRY_AT_LEAST)
        .with_max_delay(at_most)
        .without_max_times()
        .with_jitter()
        .build()
}

/// An error with its causes, in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Failure(#[source] std::io::Error);

    fn failure() -> Failure {
        Failure(std::io::Error::other("inner"))
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        assert_eq!(chain(&failure()), "outer: inner");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_longer_each_time_up_to_a_limit_and_begins_anew_when_it_is_over() {
        let (stop, most) = (CancellationToken::new(), Duration::from_secs(1));
        let mut outage = Outage::of("it", most);
        for _ in 0..20 {
            let began = Instant::now();
            assert!(outage.wait(&failure(), &stop).await);
            assert!(
                began.elapsed() >= RETRY_AT_LEAST && began.elapsed() <= 2 * most,
                "{:?}",
                began.elapsed()
            );
        }
        outage.over();
        let began = Instant::now();
        assert!(outage.wait(&failure(), &stop).await);
        assert!(began.elapsed() <= 2 * RETRY_AT_LEAST + Duration::from_millis(1));
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait() {
        let stop = CancellationToken::new();
        stop.cancel();
        assert!(!Outage::of("it", Duration::from_mins(1)).wait(&failure(), &stop).await);
    }
}
