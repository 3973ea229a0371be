use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{DROPPED, count};
use crate::config::Telemetry as Settings;

/// Spans that ended and wait to be exported: a bounded number. What there is no room for is dropped and counted.
#[derive(Debug)]
pub(super) struct SpanQueue {
    spans: Sender<SpanData>,
    batch: usize,
    batch_is_there: Arc<Notify>,
}

/// The other end of the queue.
pub(super) struct Waiting {
    pub(super) spans: Receiver<SpanData>,
    /// Told when there is a batch, which needs not wait for its time then.
    pub(super) batch_is_there: Arc<Notify>,
}

impl SpanQueue {
    pub(super) fn new(settings: &Settings) -> (Self, Waiting) {
        let (sender, spans) = mpsc::channel(settings.queue.get());
        let batch_is_there = Arc::new(Notify::new());
        let queue =
            Self { spans: sender, batch: settings.batch.get(), batch_is_there: Arc::clone(&batch_is_there) };
        (queue, Waiting { spans, batch_is_there })
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    /// Never waits.
    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.spans.try_send(span).is_err() {
            count(DROPPED, 1);
        }
        if self.spans.max_capacity() - self.spans.capacity() >= self.batch {
            self.batch_is_there.notify_one();
        }
    }

    /// There is nobody to wait for: the thread that exports is stopped by itself.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
