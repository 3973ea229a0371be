use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context;
use opentelemetry_sdk::trace::SpanExporter;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::queue::Waiting;
use super::{EXPORTED, FAILED, count};
use crate::config::Telemetry as Settings;

/// How long the last spans may take. All else has its time before, so it is short: the stop as a whole is bounded.
const LAST_EXPORT: Duration = Duration::from_millis(600);
/// How long to wait for the thread beyond that; it is needed only if the thread gets no processor time.
const GRACE: Duration = Duration::from_millis(100);

/// The thread that exports spans.
pub(super) struct Exporting {
    stop: CancellationToken,
    ended: mpsc::Receiver<()>,
}

impl Exporting {
    pub(super) fn start(
        exporter: impl SpanExporter + 'static,
        waiting: Waiting,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let (batch, delay) = (settings.batch.get(), settings.delay);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime for the export of spans")?;
        let stop = CancellationToken::new();
        let until = stop.clone();
        let (sender, ended) = mpsc::channel();
        let work = move || {
            runtime.block_on(async {
                let in_time = async {
                    until.cancelled().await;
                    sleep(LAST_EXPORT).await;
                };
                tokio::select! {
                    () = export(exporter, waiting, batch, delay, &until) => {}
                    () = in_time => tracing::warn!("the collector did not take the last spans in time"),
                }
            });
            // A name that is still being looked up must not hold up the end.
            runtime.shutdown_background();
            drop(sender);
        };
        std::thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(work)
            .context("no thread for the export of spans")?;
        Ok(Self { stop, ended })
    }

    /// Waits until what is left was exported, or could not be in time.
    pub(super) fn stop(self) {
        self.stop.cancel();
        // Nothing is ever sent: it ends when the thread does, or after this time.
        self.ended.recv_timeout(LAST_EXPORT + GRACE).ok();
    }
}

/// Exports a batch whenever there is one, and whatever there is after every `delay`; after `stop` all that is left.
async fn export(
    exporter: impl SpanExporter,
    mut waiting: Waiting,
    batch: usize,
    delay: Duration,
    stop: &CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => {}
            () = waiting.batch_is_there.notified() => {}
            () = sleep(delay) => {}
        }
        loop {
            let next = std::iter::from_fn(|| waiting.spans.try_recv().ok());
            let spans: Vec<_> = next.take(batch).collect();
            if spans.is_empty() {
                break;
            }
            let number = spans.len();
            // Whoever asked the collector has said what is wrong.
            let outcome = if exporter.export(spans).await.is_ok() { EXPORTED } else { FAILED };
            count(outcome, number);
            if number < batch && !stop.is_cancelled() {
                break;
            }
        }
        if stop.is_cancelled() && waiting.spans.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::num::NonZeroUsize;
    use std::sync::{Arc, Mutex};
    use std::time::{Instant, SystemTime};

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks, SpanProcessor};

    use super::super::queue::SpanQueue;
    use super::*;

    /// Takes what it is given, or never answers.
    #[derive(Debug, Clone, Default)]
    struct Collector {
        silent: bool,
        batches: Arc<Mutex<Vec<usize>>>,
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            if self.silent {
                std::future::pending::<()>().await;
            }
            self.batches.lock().unwrap().push(batch.len());
            Ok(())
        }
    }

    fn settings() -> Settings {
        let count = |number| NonZeroUsize::new(number).unwrap();
        Settings {
            queue: count(10),
            batch: count(4),
            delay: Duration::from_hours(1),
            ..Settings::of("http://localhost:4318/v1/traces".parse().unwrap())
        }
    }

    fn span(flags: TraceFlags) -> SpanData {
        SpanData {
            span_context: SpanContext::new(TraceId::from(1), SpanId::from(1), flags, false, TraceState::NONE),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: Cow::Borrowed("span"),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    #[test]
    fn what_is_left_is_exported_at_the_stop_in_batches() {
        let collector = Collector::default();
        let settings = settings();
        let (queue, waiting) = SpanQueue::new(&settings);
        // Two more than there is room for, before anybody takes one; and one that is not sampled.
        queue.on_end(span(TraceFlags::NOT_SAMPLED));
        for _ in 0..12 {
            queue.on_end(span(TraceFlags::SAMPLED));
        }
        Exporting::start(collector.clone(), waiting, &settings).unwrap().stop();
        assert_eq!(*collector.batches.lock().unwrap(), [4, 4, 2]);
    }

    #[test]
    fn a_batch_does_not_wait_for_its_time_and_a_lone_span_waits_no_longer() {
        for (spans, delay) in [(4, Duration::from_hours(1)), (1, Duration::from_millis(1))] {
            let collector = Collector::default();
            let settings = Settings { delay, ..settings() };
            let (queue, waiting) = SpanQueue::new(&settings);
            let exporting = Exporting::start(collector.clone(), waiting, &settings).unwrap();
            for _ in 0..spans {
                queue.on_end(span(TraceFlags::SAMPLED));
            }
            let began = Instant::now();
            while collector.batches.lock().unwrap().is_empty() {
                assert!(began.elapsed() < Duration::from_secs(30), "nothing came");
                std::thread::yield_now();
            }
            exporting.stop();
        }
    }

    #[test]
    fn a_collector_that_never_answers_does_not_hold_up_the_stop() {
        let settings = settings();
        let (queue, waiting) = SpanQueue::new(&settings);
        queue.on_end(span(TraceFlags::SAMPLED));
        let exporting =
            Exporting::start(Collector { silent: true, ..Collector::default() }, waiting, &settings).unwrap();
        // It returns at all: the test would run on for ever.
        exporting.stop();
    }
}
