//! The whole way, measured: a backlog in Redis, drained by the program into a fresh hypertable, beside a plain
//! binary COPY of the same rows by one connection into the same table. A second table has what reading and
//! acknowledging the same stream costs, without decoding and without a database, by us and by the redis crate alone.
//!
//! `scripts/bench` builds all of it with optimisations and runs this. Options: `--records N` (default 500,000),
//! `--devices N` (1,000), `--rounds N` (3), `--only NAME` (one variant), `--set NAME=VALUE` (a setting of the
//! program, as often as needed), `--collector NAMES` (who listens to its traces: `none`, which is the default, `live`,
//! `dead` and `silent`, several separated by commas to compare them).
//!
//! Runs are interleaved: each round does every variant once, and a ratio is taken within its round. Absolute
//! rates move with whatever else the machine does; ratios of one round do not.

mod copy;
mod drain;
mod listening;
mod reading;
mod report;
mod variant;

use anyhow::Context;
use processor_tests::{RedisServer, TimescaleServer};

use crate::copy::Rows;
use crate::listening::Listening;
use crate::reading::Reader;
use crate::report::Report;
use crate::variant::Variant;

/// What to measure.
struct Options {
    records: u32,
    devices: u32,
    rounds: u32,
    only: Option<String>,
    collectors: Vec<Listening>,
    settings: Vec<(String, String)>,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let mut options = Self {
            records: 500_000,
            devices: 1_000,
            rounds: 3,
            only: None,
            collectors: vec![Listening::None],
            settings: Vec::new(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            // What `cargo bench` itself passes.
            if name == "--bench" {
                continue;
            }
            let value = args.next().with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--records" => options.records = value.parse()?,
                "--devices" => options.devices = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                "--only" => options.only = Some(value),
                "--collector" => {
                    let named = |name| Listening::named(name).with_context(|| format!("no collector {name}"));
                    options.collectors = value.split(',').map(named).collect::<anyhow::Result<_>>()?;
                }
                "--set" => {
                    let (name, value) = value.split_once('=').context("--set needs NAME=VALUE")?;
                    options.settings.push((name.to_owned(), value.to_owned()));
                }
                _ => anyhow::bail!("there is no option {name}"),
            }
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    let redis = RedisServer::start_alone().await?;
    // Unlike in tests, a commit waits for the disk.
    let timescale = TimescaleServer::start_with(&["-c", "fsync=on"]).await?;

    let variants: Vec<_> = Variant::ALL
        .into_iter()
        .filter(|variant| options.only.as_deref().is_none_or(|only| only == variant.name()))
        .collect();
    for variant in &variants {
        eprintln!("filling the stream of {:?}", variant.name());
        drain::fill(&redis, variant.stream(), variant.records(options.devices, options.records)).await?;
    }

    eprintln!("warming up");
    let first = *variants.first().context("there is no variant of that name")?;
    let (_, database) = drain::drain(&redis, &timescale, first, &options.settings).await?;
    let rows = Rows::of(&database).await?;

    let mut report = Report::default();
    for round in 1..=options.rounds {
        let copied = copy::copy(&timescale, &rows).await?;
        eprintln!("round {round}: COPY {:.0} rows/s", copied.rate());
        report.copied(&copied);
        for reader in Reader::ALL {
            let cost = reading::read(&redis, first.stream(), reader).await?;
            eprintln!("round {round}: reading and acknowledging, {}: {cost:.2} µs a record", reader.name());
            report.read(reader, cost);
        }
        for variant in &variants {
            for collector in &options.collectors {
                let listener = collector.start().await?;
                let endpoint =
                    listener.url.clone().map(|url| ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), url));
                let settings: Vec<_> = options.settings.iter().cloned().chain(endpoint).collect();
                let (drained, _) = drain::drain(&redis, &timescale, *variant, &settings).await?;
                let (name, collector_name) = (variant.name(), collector.name());
                eprintln!(
                    "round {round}: {name}, collector {collector_name}: {:.0} records/s",
                    drained.rate()
                );
                report.drained((*variant, *collector), &drained, &copied);
            }
        }
    }
    println!("{report}");
    Ok(())
}
