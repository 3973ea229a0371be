use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::{Clock, ConsumerGroup, SystemClock};
use processor_domain::{Consumer, EntryId};

use crate::Unavailable;

/// Who reads the streams.
pub struct Consumers {
    groups: Vec<Arc<dyn ConsumerGroup>>,
    clock: Arc<dyn Clock>,
}

/// Of no stream.
impl Default for Consumers {
    fn default() -> Self {
        Self::new(Vec::new(), Arc::new(SystemClock))
    }
}

impl fmt::Debug for Consumers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams: Vec<_> = self.groups.iter().map(|group| group.stream()).collect();
        out.debug_struct("Consumers").field("streams", &streams).finish_non_exhaustive()
    }
}

/// The consumers of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConsumers {
    /// The name of the stream.
    pub stream: Box<str>,
    /// Its consumers, by name.
    pub consumers: Vec<SeenConsumer>,
}

/// A consumer as it is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenConsumer {
    /// What its group says of it.
    pub consumer: Consumer,
    /// How long ago the stream took the oldest entry that is pending with it.
    pub oldest_age: Option<Duration>,
}

impl Consumers {
    /// Of these groups, one a stream.
    #[must_use]
    pub fn new(groups: Vec<Arc<dyn ConsumerGroup>>, clock: Arc<dyn Clock>) -> Self {
        Self { groups, clock }
    }

    /// All of them, stream by stream.
    ///
    /// # Errors
    /// [`Unavailable`] if a stream cannot be asked.
    pub async fn list(&self) -> Result<Vec<StreamConsumers>, Unavailable> {
        let mut streams = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let found = group.consumers().await;
            let found = found.map_err(|error| Unavailable::stream(group.stream(), error))?;
            let now = self.clock.now();
            let age = |id: EntryId| now.since(id.received_at());
            let seen =
                |consumer: Consumer| SeenConsumer { oldest_age: consumer.oldest_pending.map(age), consumer };
            let consumers = found.into_iter().map(seen).collect();
            streams.push(StreamConsumers { stream: group.stream().into(), consumers });
        }
        Ok(streams)
    }
}

#[cfg(test)]
mod tests {
    use processor_domain::Timestamp;
    use processor_domain::ports::{MockClock, MockConsumerGroup, StreamError};

    use super::*;

    fn group(answer: fn() -> Result<Vec<Consumer>, StreamError>) -> Arc<dyn ConsumerGroup> {
        let mut group = MockConsumerGroup::new();
        group.expect_stream().return_const("telemetry".to_owned());
        group.expect_consumers().returning(answer);
        Arc::new(group)
    }

    fn consumers(group: Arc<dyn ConsumerGroup>) -> Consumers {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(Timestamp::from_millis(90_000));
        Consumers::new(vec![group], Arc::new(clock))
    }

    fn consumer(oldest_pending: Option<EntryId>) -> Consumer {
        let pending = u64::from(oldest_pending.is_some());
        Consumer { name: "one".into(), own: true, pending, oldest_pending, idle: Duration::from_secs(1) }
    }

    #[tokio::test]
    async fn what_is_pending_has_the_age_of_its_oldest_entry() {
        let old = EntryId { millis: 30_000, sequence: 0 };
        let listed = consumers(group(|| {
            Ok(vec![consumer(None), consumer(Some(EntryId { millis: 30_000, sequence: 0 }))])
        }));
        let listed = listed.list().await.unwrap();
        let expected = [(None, None), (Some(old), Some(Duration::from_mins(1)))];
        let expected =
            expected.map(|(oldest, oldest_age)| SeenConsumer { consumer: consumer(oldest), oldest_age });
        assert_eq!(listed, [StreamConsumers { stream: "telemetry".into(), consumers: expected.into() }]);
    }

    #[tokio::test]
    async fn a_stream_that_is_away_is_named() {
        let away = consumers(group(|| Err(StreamError::Unavailable("gone".into()))));
        let error = away.list().await.unwrap_err();
        assert_eq!(error.to_string(), "the stream telemetry cannot be reached");
    }
}
