use processor_domain::ports::{Cause, DeadLetterQueueError, PublishError, StreamError};

/// What was asked for cannot be answered or done at the moment. Ask again.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be reached")]
pub struct Unavailable {
    /// What it is that does not answer, in words for people.
    pub what: Box<str>,
    /// Why.
    #[source]
    pub cause: Cause,
}

impl Unavailable {
    pub(crate) fn stream(name: &str, error: StreamError) -> Self {
        let StreamError::Unavailable(cause) = error;
        Self { what: format!("the stream {name}").into(), cause }
    }

    pub(crate) fn publisher(name: &str, error: PublishError) -> Self {
        let PublishError::Unavailable(cause) = error;
        Self { what: format!("the stream {name}").into(), cause }
    }

    pub(crate) fn dead_letters(place: &str, error: DeadLetterQueueError) -> Self {
        let DeadLetterQueueError::Unavailable(cause) = error;
        Self { what: format!("the place {place} of dead letters").into(), cause }
    }
}
