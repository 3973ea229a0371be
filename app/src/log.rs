//! The log: to standard error, for people or for programs.

mod correlated;

use std::io::IsTerminal;

use tracing_subscriber::filter::{FilterExt, LevelFilter, ParseError, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use self::correlated::Correlated;
use crate::config::{Log, LogFormat};

/// What is logged, to be changed while the program runs.
#[derive(Clone)]
pub(crate) struct Levels(reload::Handle<Targets, Registry>);

impl Levels {
    /// Logs from now on what these directives ask for, in the words of `LOG_LEVEL`.
    ///
    /// # Errors
    /// If they are none; then nothing has changed.
    pub(crate) fn change(&self, directives: &str) -> Result<(), ParseError> {
        let levels = levels(directives.parse()?);
        // The subscriber that it belongs to lives as long as the program.
        self.0.reload(levels).ok();
        Ok(())
    }
}

/// Starts to log, and to trace if there is somewhere to send the spans. The level was checked with the rest of the
/// configuration.
pub(crate) fn install(log: &Log, spans: Option<Box<dyn Layer<Registry> + Send + Sync>>) -> Levels {
    let asked = log.level.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let (levels, handle) = reload::Layer::new(levels(asked));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Json => {
            let format = fmt::format().json().flatten_event(true);
            lines.event_format(Correlated(format.with_current_span(false).with_span_list(false))).boxed()
        }
        LogFormat::Pretty => {
            let format = fmt::format().compact().with_target(false);
            lines.event_format(Correlated(format.with_ansi(std::io::stderr().is_terminal()))).boxed()
        }
    };
    let lines = lines.with_filter(levels.and(filter_fn(is_line)));
    let layers = spans.into_iter().chain([lines.boxed()]).collect::<Vec<_>>();
    tracing_subscriber::registry().with(layers).init();
    Levels(handle)
}

/// A span is none. So nobody wants spans if there is no tracing, and where they are made they cost nothing.
fn is_line(callsite: &tracing::Metadata<'_>) -> bool {
    callsite.is_event()
}

/// The levels asked for; of libraries that tell what we tell ourselves, only warnings unless they are named.
fn levels(asked: Targets) -> Targets {
    let quiet = [
        ("hyper", LevelFilter::WARN),
        ("poem", LevelFilter::WARN),
        ("reqwest", LevelFilter::WARN),
        ("sea_orm_migration", LevelFilter::WARN),
        // Its warnings about connections are told again by whoever wanted one.
        ("sqlx", LevelFilter::ERROR),
        // These belong to a span.
        (processor_tasks::TRACE_EVENTS, LevelFilter::OFF),
    ];
    let named: Vec<String> = asked.iter().map(|(named, _)| named.to_owned()).collect();
    let quiet = quiet.into_iter().filter(|(library, _)| !named.iter().any(|named| named == library));
    quiet.fold(asked, |levels, (library, level)| levels.with_target(library, level))
}
