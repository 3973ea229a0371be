//! What is asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

/// Cars drive east, and stay on this side of the date line for so long at two records a second.
const MOST_MINUTES: u64 = 60 * 48;

/// How long, how much, and how often something breaks.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) devices: u32,
    /// Records a second of each device.
    pub(crate) rate: u32,
    pub(crate) fault_every: Duration,
    pub(crate) chapter: Duration,
    pub(crate) viewers: usize,
    pub(crate) seed: u64,
    pub(crate) report: PathBuf,
}

impl Options {
    pub(crate) fn read() -> anyhow::Result<Self> {
        let (mut minutes, mut fault_every) = (60, 5);
        let mut options = Self {
            time: Duration::ZERO,
            devices: 1_000,
            rate: 2,
            fault_every: Duration::ZERO,
            chapter: Duration::from_mins(1),
            viewers: 3,
            seed: 1,
            report: concat!(env!("CARGO_MANIFEST_DIR"), "/../target/soak.md").into(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            // What `cargo bench` itself passes.
            if name == "--bench" {
                continue;
            }
            let value = args.next().with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--minutes" => minutes = value.parse()?,
                "--devices" => options.devices = value.parse()?,
                "--rate" => options.rate = value.parse()?,
                "--fault-every" => fault_every = value.parse()?,
                "--chapter" => options.chapter = Duration::from_secs(value.parse()?),
                "--viewers" => options.viewers = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--report" => options.report = value.into(),
                _ => anyhow::bail!("there is no option {name}"),
            }
        }
        ensure!((1..=MOST_MINUTES).contains(&minutes), "--minutes must be from 1 to {MOST_MINUTES}");
        ensure!((1..=1_000_000).contains(&fault_every), "--fault-every must be a number of minutes");
        ensure!((1..=10_000).contains(&options.devices), "--devices must be from 1 to 10000");
        ensure!((1..=10).contains(&options.rate), "--rate must be from 1 to 10");
        ensure!((10..=600).contains(&options.chapter.as_secs()), "--chapter must be from 10 to 600");
        ensure!(options.viewers <= 50, "--viewers must be at most 50");
        options.time = Duration::from_mins(minutes);
        options.fault_every = Duration::from_mins(fault_every);
        Ok(options)
    }
}
