use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Compact, Format, FormatEvent, FormatFields, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, time::FormatTime};
use tracing_subscriber::registry::LookupSpan;

/// Lines that say to which span they belong, if they belong to one: the last thing in a line are `trace_id` and
/// `span_id`, in hexadecimal digits as a trace shows them.
pub(super) struct Correlated<F>(pub(super) F);

/// How ids are put behind what is in a line already.
trait Append {
    /// What ends a line, and goes behind the ids.
    const END: &str;
    fn ids(line: &mut String, ids: &SpanContext) -> fmt::Result;
}

impl<T> Append for Format<Json, T> {
    const END: &str = "}\n";
    fn ids(line: &mut String, ids: &SpanContext) -> fmt::Result {
        let (trace, span) = (ids.trace_id(), ids.span_id());
        fmt::write(line, format_args!(r#","trace_id":"{trace}","span_id":"{span}""#))
    }
}

impl<T> Append for Format<Compact, T> {
    const END: &str = "\n";
    fn ids(line: &mut String, ids: &SpanContext) -> fmt::Result {
        let (trace, span) = (ids.trace_id(), ids.span_id());
        fmt::write(line, format_args!(" trace_id={trace} span_id={span}"))
    }
}

impl<S, N, F, T> FormatEvent<S, N> for Correlated<Format<F, T>>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    Format<F, T>: FormatEvent<S, N> + Append,
    T: FormatTime,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let ids = Context::map_current(|context| context.span().span_context().clone());
        if !ids.is_valid() {
            return self.0.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let end = <Format<F, T> as Append>::END;
        if line.ends_with(end) {
            line.truncate(line.len() - end.len());
            <Format<F, T> as Append>::ids(&mut line, &ids)?;
            line.push_str(end);
        }
        writer.write_str(&line)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, Registry, fmt as lines};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written of two events, the second of which belongs to a span.
    fn written(layer: impl FnOnce(Written) -> Box<dyn Layer<Registry> + Send + Sync>) -> Vec<String> {
        let written = Written::default();
        let subscriber = tracing_subscriber::registry().with(layer(written.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(number = 1, "outside");
            let span = SpanContext::new(
                TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
                SpanId::from(0x00f0_67aa_0ba9_02b7),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            );
            let _entered = Context::new().with_remote_span_context(span).attach();
            tracing::info!(number = 2, "inside");
        });
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_for_programs_has_the_ids_of_its_span_as_members() {
        let found = written(|to| {
            let format = lines::format().json().flatten_event(true).with_span_list(false).without_time();
            lines::layer().with_writer(move || to.clone()).event_format(Correlated(format)).boxed()
        });
        assert!(!found[0].contains("trace_id"), "{}", found[0]);
        let ids = r#","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}"#;
        assert!(found[1].starts_with('{') && found[1].ends_with(ids), "{}", found[1]);
        assert_eq!((found.len(), found[1].matches('}').count()), (2, 1), "{found:?}");
    }

    #[test]
    fn a_line_for_people_ends_with_the_ids_of_its_span() {
        let found = written(|to| {
            let format = lines::format().compact().with_ansi(false).with_target(false).without_time();
            lines::layer().with_writer(move || to.clone()).event_format(Correlated(format)).boxed()
        });
        let line = |text: &str| text.trim().to_owned();
        assert_eq!(line(&found[0]), "INFO outside number=1");
        let ids = "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7";
        assert_eq!(line(&found[1]), format!("INFO inside number=2 {ids}"));
    }
}
