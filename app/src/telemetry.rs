//! Traces: what the spans of `tracing` tell, sent over OTLP.
//!
//! ```text
//!  span ends ─► SpanQueue (bounded; full: dropped and counted) ─► a thread of its own ─► Collector ─► HTTP
//! ```
//!
//! Without an endpoint there is none of it. With one, whoever works on positions does no more than put a span that
//! ended into the queue; encoding, the network and a collector that is away are the matter of the thread. It has a
//! runtime of its own, so that neither can hold up the other.

mod collector;
mod exporting;
mod queue;

use std::sync::Arc;

use anyhow::Context as _;
use metrics::{Unit, counter, describe_counter};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{ResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use processor_directus::TraceHeaders;
use processor_domain::TraceParent;
use processor_ingest::{LinkSpan, MOST_LINKS};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use self::collector::Collector;
use self::exporting::Exporting;
use self::queue::SpanQueue;
use crate::config::Telemetry as Settings;

/// What becomes of spans that ended: the label `outcome` of `processor_spans_total`.
const EXPORTED: &str = "exported";
const DROPPED: &str = "dropped";
const FAILED: &str = "failed";

/// Collects spans, for the subscriber.
pub(crate) type Spans = Box<dyn Layer<Registry> + Send + Sync>;

/// Traces that are being sent.
pub(crate) struct Telemetry(Exporting);

impl Telemetry {
    /// Starts to send what the layer collects. It connects to nothing yet.
    ///
    /// # Errors
    /// If the collector cannot be asked at all, or there is no thread.
    pub(crate) fn start(settings: &Settings, instance_id: &str) -> anyhow::Result<(Self, Spans)> {
        let resource = resource(settings, instance_id);
        let collector = Collector::new(settings)?;
        let exporter = collector.exporter(&resource).context("no exporter of spans")?;
        let (queue, spans) = SpanQueue::new(settings);
        let exporting = Exporting::start(exporter, spans, settings)?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            // By the id of the trace, for every span: all of a trace are sampled or none. What a sender decided
            // about its own trace decides nothing here: those traces are linked to and never continued.
            .with_sampler(Sampler::TraceIdRatioBased(settings.ratio))
            // And one more: of a batch to the one that it is written with.
            .with_max_links_per_span(u32::try_from(MOST_LINKS + 1).unwrap_or(u32::MAX))
            .with_span_processor(queue)
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("processor"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        Ok((Self(exporting), layer.with_filter(filter_fn(is_ours)).boxed()))
    }

    /// Sends what is left, within a bound, and ends. To be called when everything else has ended.
    pub(crate) fn stop(self) {
        self.0.stop();
    }
}

/// Our own spans, and events that are meant for them. Those of the libraries that carry the spans away are never
/// collected: each export would make something to be exported.
fn is_ours(callsite: &tracing::Metadata<'_>) -> bool {
    if callsite.is_event() {
        callsite.target() == processor_tasks::TRACE_EVENTS
    } else {
        callsite.target().starts_with("processor")
    }
}

fn resource(settings: &Settings, instance_id: &str) -> Resource {
    let sdk = TelemetryResourceDetector.detect();
    Resource::builder_empty()
        .with_attributes(sdk.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance_id.to_owned()))
        .with_attributes(
            settings.attributes.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone())),
        )
        .with_service_name(settings.service_name.clone())
        .build()
}

/// Points from a span at the spans that others were at work in.
pub(crate) fn link_span() -> LinkSpan {
    Arc::new(|span, parents| {
        for TraceParent { trace_id, span_id, sampled } in parents {
            let flags = if *sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
            let (trace_id, span_id) = (TraceId::from_bytes(*trace_id), SpanId::from_bytes(*span_id));
            span.add_link(SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE));
        }
    })
}

/// `traceparent` of the span that is at work; no `tracestate`, no baggage.
pub(crate) fn trace_headers() -> TraceHeaders {
    Arc::new(|| {
        let parent = Context::map_current(|context| {
            let span = context.span();
            let span = span.span_context();
            span.is_valid().then(|| TraceParent {
                trace_id: span.trace_id().to_bytes(),
                span_id: span.span_id().to_bytes(),
                sampled: span.is_sampled(),
            })
        });
        parent.map(|parent| ("traceparent".to_owned(), parent.to_string())).into_iter().collect()
    })
}

/// Says what the metrics mean, to the recorder that is installed, and has them there from the start.
pub(crate) fn describe_metrics() {
    describe_counter!("processor_spans_total", Unit::Count, "Spans that ended, by what became of them");
    for outcome in [EXPORTED, DROPPED, FAILED] {
        count(outcome, 0);
    }
}

fn count(outcome: &'static str, spans: usize) {
    counter!("processor_spans_total", "outcome" => outcome).increment(spans as u64);
}
