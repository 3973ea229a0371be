//! The tasks that serve connections.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

/// Every connection and every socket is a task in here, so that none is forgotten when the server stops.
#[derive(Default)]
pub(crate) struct Connections(Mutex<JoinSet<()>>);

impl Connections {
    /// Starts one.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        // Those that have ended stay until they are asked for.
        while let Some(ended) = tasks.try_join_next() {
            report(ended);
        }
        tasks.spawn(task);
    }

    /// Waits until all have ended, but not longer than this; then those that are left are cut off.
    pub(crate) async fn finish(&self, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            let mut tasks = std::mem::take(&mut *self.tasks());
            if tasks.is_empty() {
                return;
            }
            let ended = async {
                while let Some(ended) = tasks.join_next().await {
                    report(ended);
                }
            };
            if timeout_at(deadline, ended).await.is_err() {
                tracing::warn!(connections = tasks.len(), "connections that do not end are cut off");
                tasks.shutdown().await;
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        // Whoever panicked has done nothing by halves: it only added or took a task.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the task of a connection did not end as it should");
    }
}
