//! The log: to standard error, for people or for programs.

use std::io::IsTerminal;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Starts to log. The level was checked with the rest of the configuration.
pub(crate) fn start(log: &Log) {
    let levels = levels(&log.level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_target(true).boxed(),
        LogFormat::Pretty => lines.compact().with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
}

/// The levels asked for; of libraries that tell what we tell ourselves, only warnings unless they are named.
fn levels(asked: &str) -> Targets {
    let asked: Targets = asked.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let quiet = [
        ("poem", LevelFilter::WARN),
        ("sea_orm_migration", LevelFilter::WARN),
        // Its warnings about connections are told again by whoever wanted one.
        ("sqlx", LevelFilter::ERROR),
    ];
    let quiet = quiet.into_iter().filter(|(library, _)| !asked.iter().any(|(named, _)| named == *library));
    quiet.fold(asked.clone(), |levels, (library, level)| levels.with_target(library, level))
}
