//! What to measure.

use std::time::Duration;

use anyhow::Context;

/// Which of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measured {
    /// What viewers are told, and what that costs.
    Watching,
    /// Ingest, without viewers and with them.
    Ingest,
}

/// What to measure.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) measured: Measured,
    pub(crate) viewers: usize,
    pub(crate) devices: u32,
    pub(crate) time: Duration,
    pub(crate) stalled_percent: usize,
    pub(crate) slow: usize,
    pub(crate) tick_millis: u32,
    pub(crate) threads: usize,
    pub(crate) records: u32,
    pub(crate) rounds: u32,
}

impl Options {
    /// Reads the arguments; none if it is only asked which tests there are.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Self>> {
        let mut options = Self {
            measured: Measured::Watching,
            viewers: 5_000,
            devices: 500,
            time: Duration::from_mins(1),
            stalled_percent: 0,
            slow: 0,
            tick_millis: 100,
            threads: 1,
            records: 300_000,
            rounds: 3,
        };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                // What `cargo bench` itself passes.
                "--bench" => continue,
                // What test runners pass; there are no tests.
                "--list" | "--test" => return Ok(None),
                "--ingest" => {
                    options.measured = Measured::Ingest;
                    continue;
                }
                _ => {}
            }
            let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--viewers" => options.viewers = value.parse()?,
                "--devices" => options.devices = value.parse()?,
                "--minutes" => options.time = Duration::from_secs_f64(value.parse::<f64>()? * 60.0),
                "--stalled" => options.stalled_percent = value.parse()?,
                "--slow" => options.slow = value.parse()?,
                "--tick" => options.tick_millis = value.parse()?,
                "--threads" => options.threads = value.parse()?,
                "--records" => options.records = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                _ => anyhow::bail!("there is no option {name}"),
            }
        }
        anyhow::ensure!(options.stalled_percent <= 100, "not more than all can be stalled");
        anyhow::ensure!(options.threads > 0 && options.devices > 0, "there has to be at least one");
        Ok(Some(options))
    }
}
