//! What a collector of traces is told, and what becomes of the program when there is none that listens.

mod a_batch;
mod a_collector_that_is_away;
mod a_viewer;
mod nothing_secret;

use processor_tests::{Collector, ProcessorBuilder, SpanSeen};

/// The program, sending what it has to tell at once.
fn traced(builder: ProcessorBuilder, collector_url: &str) -> ProcessorBuilder {
    builder.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector_url).env("OTEL_BSP_SCHEDULE_DELAY", "50")
}

/// The first span of this name.
fn span<'a>(spans: &'a [SpanSeen], name: &str) -> anyhow::Result<&'a SpanSeen> {
    let found = spans.iter().find(|span| span.name == name);
    found.ok_or_else(|| anyhow::anyhow!("there is no {name} among {spans:#?}"))
}

/// Waits until there is a span with each of these names.
async fn until_there_are(collector: &Collector, names: &[&str]) -> Vec<SpanSeen> {
    let there = |spans: &[SpanSeen], name: &str| spans.iter().any(|span| span.name == name);
    collector.until(crate::SOON, |spans| names.iter().all(|name| there(spans, name))).await
}
