use std::collections::BTreeMap;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

/// A span as a collector got it; ids are hexadecimal digits, values are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanSeen {
    /// Its name.
    pub name: String,
    /// `consumer`, `client`, `internal` …
    pub kind: String,
    /// The trace it belongs to.
    pub trace: String,
    /// Itself.
    pub id: String,
    /// The span that it is part of, if it does not begin a trace.
    pub parent: Option<String>,
    /// What it says.
    pub attributes: BTreeMap<String, String>,
    /// What it points at, as `trace-span`.
    pub links: Vec<String>,
    /// The names of what happened in it.
    pub events: Vec<String>,
    /// Whether what it stands for failed.
    pub failed: bool,
    /// Who sent it.
    pub resource: BTreeMap<String, String>,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// When it ended, in the same.
    pub ended: u64,
}

impl SpanSeen {
    /// An attribute; empty if there is none of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Whether it is part of `other`.
    #[must_use]
    pub fn is_part_of(&self, other: &Self) -> bool {
        self.trace == other.trace && self.parent.as_ref() == Some(&other.id)
    }
}

pub(super) fn spans_of(request: ExportTraceServiceRequest) -> Vec<SpanSeen> {
    let mut seen = Vec::new();
    for resource_spans in request.resource_spans {
        let resource = attributes(resource_spans.resource.unwrap_or_default().attributes);
        let spans = resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        seen.extend(spans.map(|span| span_seen(span, resource.clone())));
    }
    seen
}

fn span_seen(span: Span, resource: BTreeMap<String, String>) -> SpanSeen {
    let kind = match span.kind() {
        SpanKind::Consumer => "consumer",
        SpanKind::Producer => "producer",
        SpanKind::Client => "client",
        SpanKind::Server => "server",
        SpanKind::Internal => "internal",
        SpanKind::Unspecified => "unspecified",
    };
    let link = |trace: &[u8], span: &[u8]| format!("{}-{}", hex(trace), hex(span));
    SpanSeen {
        kind: kind.to_owned(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: Some(hex(&span.parent_span_id)).filter(|parent| !parent.is_empty()),
        links: span.links.iter().map(|to| link(&to.trace_id, &to.span_id)).collect(),
        events: span.events.iter().map(|event| event.name.clone()).collect(),
        failed: span.status.is_some_and(|status| status.code() == StatusCode::Error),
        attributes: attributes(span.attributes),
        name: span.name,
        resource,
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
    }
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to text cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The trace that `root` begins, drawn as a tree: names, kinds, milliseconds, and what each span says.
#[must_use]
pub fn draw(spans: &[SpanSeen], root: &SpanSeen) -> String {
    let mut drawn = String::new();
    draw_below(&mut drawn, spans, root, root.began, "");
    drawn
}

fn draw_below(drawn: &mut String, spans: &[SpanSeen], span: &SpanSeen, zero: u64, indent: &str) {
    let millis = |nanos: u64| nanos as f64 / 1e6;
    let (after, took) = (millis(span.began - zero), millis(span.ended - span.began));
    let failed = if span.failed { ", failed" } else { "" };
    writeln!(drawn, "{indent}{} ({}{failed}) at {after:.2} ms for {took:.2} ms", span.name, span.kind).ok();
    for (name, value) in &span.attributes {
        writeln!(drawn, "{indent}    {name} = {value}").ok();
    }
    for link in &span.links {
        writeln!(drawn, "{indent}    → {link}").ok();
    }
    for event in &span.events {
        writeln!(drawn, "{indent}    ! {event}").ok();
    }
    for part in spans.iter().filter(|part| part.is_part_of(span)) {
        draw_below(drawn, spans, part, zero, &format!("{indent}  "));
    }
}
