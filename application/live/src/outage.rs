//! Waiting for something that is away.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Shortest wait; with jitter it is between this and twice as long.
const RETRY_AT_LEAST: Duration = Duration::from_millis(100);

/// Keeps count of one outage: says once that it began and once that it ended, and waits longer each time.
pub(crate) struct Outage {
    what: &'static str,
    retry_at_most: Duration,
    began: Option<Instant>,
    backoff: ExponentialBackoff,
}

impl Outage {
    pub(crate) fn of(what: &'static str, retry_at_most: Duration) -> Self {
        Self { what, retry_at_most, began: None, backoff: backoff(retry_at_most) }
    }

    /// Takes note of a failure and waits before the next attempt. `false` if it was told to stop instead.
    pub(crate) async fn wait<E>(&mut self, error: &E, stop: &CancellationToken) -> bool
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
        let pause = self.backoff.next().unwrap_or(self.retry_at_most);
        stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
    }

    /// Takes note of a success.
    pub(crate) fn over(&mut self) {
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
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
