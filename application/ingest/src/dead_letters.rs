use std::sync::Arc;

use async_trait::async_trait;
use processor_domain::DeadLetter;
use processor_domain::ports::{DeadLetters, DeadLettersError};

/// Dead letters are kept by the first of several sinks that will have them.
///
/// A stream that is full takes no dead letters although it can still be read and acknowledged; then the
/// database keeps them.
pub struct FirstThatKeeps(Vec<Arc<dyn DeadLetters>>);

impl FirstThatKeeps {
    /// `first` and, if that fails, `second`.
    #[must_use]
    pub fn new(first: Arc<dyn DeadLetters>, second: Arc<dyn DeadLetters>) -> Self {
        Self(vec![first, second])
    }
}

#[async_trait]
impl DeadLetters for FirstThatKeeps {
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLettersError> {
        let mut outcome = Ok(());
        for sink in &self.0 {
            outcome = sink.keep(letters).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor_domain::ports::MockDeadLetters;

    fn full() -> MockDeadLetters {
        let mut sink = MockDeadLetters::new();
        sink.expect_keep().times(1).returning(|_| Err(DeadLettersError::Unavailable("full".into())));
        sink
    }

    #[tokio::test]
    async fn the_second_is_asked_only_when_the_first_is_full() {
        let mut keeps = MockDeadLetters::new();
        keeps.expect_keep().times(1).returning(|_| Ok(()));
        let unused = MockDeadLetters::new();
        assert!(FirstThatKeeps::new(Arc::new(keeps), Arc::new(unused)).keep(&[]).await.is_ok());

        let mut keeps = MockDeadLetters::new();
        keeps.expect_keep().times(1).returning(|_| Ok(()));
        assert!(FirstThatKeeps::new(Arc::new(full()), Arc::new(keeps)).keep(&[]).await.is_ok());
    }

    #[tokio::test]
    async fn it_fails_when_all_are_full() {
        assert!(FirstThatKeeps::new(Arc::new(full()), Arc::new(full())).keep(&[]).await.is_err());
    }
}
