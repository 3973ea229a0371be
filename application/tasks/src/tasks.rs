//! Tasks by name.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Tasks that belong together and run until they are told to stop.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<()>,
    names: HashMap<Id, String>,
}

/// A task ended although nobody had asked it to.
#[derive(Debug, thiserror::Error)]
#[error("the task \"{task}\" ended: {how}")]
pub struct TaskEnded {
    /// Its name.
    pub task: String,
    /// How it ended.
    pub how: String,
}

const FINISHED: &str = "it had nothing left to do";

impl Tasks {
    /// Starts a task.
    pub fn start(&mut self, name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.set.spawn(task).id();
        self.names.insert(id, name.into());
    }

    /// Waits until all have ended. The first that ends before `stop` is cancelled, by a panic or otherwise, cancels
    /// it: the others must be told.
    ///
    /// # Errors
    /// [`TaskEnded`] if there was such a task.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), TaskEnded> {
        let mut ended = Ok(());
        while let Some((task, how)) = self.next().await {
            if !stop.is_cancelled() {
                ended = Err(TaskEnded { task, how });
                stop.cancel();
            } else if how != FINISHED {
                tracing::error!(task, how, "a task did not end as it should");
            }
        }
        ended
    }

    /// The next task to end, and how it did.
    async fn next(&mut self) -> Option<(String, String)> {
        let (id, how) = match self.set.join_next_with_id().await? {
            Ok((id, ())) => (id, FINISHED.to_owned()),
            Err(error) => (error.id(), error.to_string()),
        };
        Some((self.names.remove(&id).unwrap_or_default(), how))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_that_end_when_they_are_told_end_well() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::default();
        for name in ["a", "b"] {
            tasks.start(name, stop.clone().cancelled_owned());
        }
        stop.cancel();
        assert!(tasks.run(stop).await.is_ok());
    }

    #[tokio::test]
    async fn the_first_that_ends_untold_is_named_and_stops_the_others() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::default();
        tasks.start("patient", stop.clone().cancelled_owned());
        tasks.start("hasty", async {});
        let ended = tasks.run(stop.clone()).await.expect_err("a task ended");
        assert_eq!(ended.to_string(), "the task \"hasty\" ended: it had nothing left to do");
        assert!(stop.is_cancelled());
    }

    #[tokio::test]
    async fn a_panic_is_told() {
        let mut tasks = Tasks::default();
        tasks.start("buggy", async { panic!("a bug") });
        let ended = tasks.run(CancellationToken::new()).await.expect_err("a task ended");
        assert!(ended.how.contains("a bug"), "{ended}");
    }
}
