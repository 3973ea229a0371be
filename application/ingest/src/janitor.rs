//! Forgets consumers that are gone: a stream keeps them for ever.

use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::ConsumerGroup;
use processor_tasks::chain;
use tokio_util::sync::CancellationToken;

use crate::ingest::Shared;
use crate::timekeepers::Ticks;

/// Looks for consumers that hold nothing and have asked for nothing for longer than `gone_after`.
///
/// What such a consumer still holds is taken over first, by the reclaimer, which looks far more often; until then
/// it stays. The first look is at the start, for those that are started again and again under new names and do not
/// live long.
pub(crate) async fn forget(
    group: Arc<dyn ConsumerGroup>,
    gone_after: Duration,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let mut ticks = Ticks::every(pause(gone_after), &stop);
    while ticks.next().await {
        match group.forget(gone_after).await {
            Ok(forgotten) if forgotten.is_empty() => {}
            Ok(forgotten) => {
                tracing::info!(
                    stream = group.stream(),
                    consumers = forgotten.len(),
                    "forgot consumers that are gone"
                );
                shared.metrics.consumers_forgotten.increment(forgotten.len() as u64);
            }
            // The reader says when the stream is away.
            Err(error) => tracing::debug!(error = chain(&error), "no consumer forgotten"),
        }
    }
}

/// Between two looks: a consumer that is gone stays for a quarter of the time longer at most.
fn pause(gone_after: Duration) -> Duration {
    (gone_after / 4).clamp(Duration::from_millis(100), Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use mockall::Sequence;
    use processor_domain::ports::{MockConsumerGroup, StreamError};

    use super::*;
    use crate::health::IngestHealth;
    use crate::metrics::IngestMetrics;
    use crate::settings::IngestSettings;

    const GONE_AFTER: Duration = Duration::from_hours(24);

    #[tokio::test(start_paused = true)]
    async fn it_looks_at_the_start_and_every_hour_and_a_failure_does_not_end_it() {
        let (mut group, mut order, stop) =
            (MockConsumerGroup::new(), Sequence::new(), CancellationToken::new());
        group.expect_stream().return_const("telemetry".to_owned());
        let mut expect = |answer: fn() -> Result<Vec<Box<str>>, StreamError>| {
            let expected = group.expect_forget().times(1).in_sequence(&mut order);
            expected.withf(|gone_after| *gone_after == GONE_AFTER).returning(move |_| answer());
        };
        expect(|| Ok(vec!["one".into(), "two".into()]));
        expect(|| Err(StreamError::Unavailable("gone".into())));
        expect(|| Ok(vec![]));
        let shared = Arc::new(Shared {
            settings: IngestSettings::default(),
            metrics: IngestMetrics::default(),
            health: Arc::new(IngestHealth::default()),
        });
        let janitor = tokio::spawn(forget(Arc::new(group), GONE_AFTER, shared, stop.clone()));
        tokio::time::sleep(Duration::from_mins(2 * 60 + 30)).await;
        stop.cancel();
        janitor.await.expect("it ends when it is told to");
    }

    #[test]
    fn it_looks_often_enough_and_not_too_often() {
        assert_eq!(pause(Duration::from_hours(1)), Duration::from_mins(15));
        assert_eq!(pause(Duration::from_hours(100)), Duration::from_hours(1));
        assert_eq!(pause(Duration::ZERO), Duration::from_millis(100));
    }
}
