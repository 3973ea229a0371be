//! The tables.

use std::collections::BTreeMap;
use std::fmt;

use processor_tests::median;

use crate::copy::Copied;
use crate::drain::Drained;
use crate::listening::Listening;
use crate::reading::Reader;
use crate::variant::Variant;

/// What was measured, in rounds.
#[derive(Default)]
pub(crate) struct Report {
    copy_rates: Vec<f64>,
    copy_cpu: Vec<f64>,
    variants: BTreeMap<(Variant, Listening), Runs>,
    readers: BTreeMap<Reader, Vec<f64>>,
}

#[derive(Default)]
struct Runs {
    rates: Vec<f64>,
    to_copy: Vec<f64>,
    cpu: Vec<f64>,
    redis_cpu: Vec<f64>,
    database_cpu: Vec<f64>,
    peak_bytes: u64,
}

impl Report {
    pub(crate) fn copied(&mut self, copied: &Copied) {
        self.copy_rates.push(copied.rate());
        self.copy_cpu.push(copied.database_micros_a_row());
    }

    pub(crate) fn read(&mut self, reader: Reader, micros_a_record: f64) {
        self.readers.entry(reader).or_default().push(micros_a_record);
    }

    pub(crate) fn drained(&mut self, variant: (Variant, Listening), drained: &Drained, copied: &Copied) {
        let runs = self.variants.entry(variant).or_default();
        runs.rates.push(drained.rate());
        runs.to_copy.push(drained.rate() / copied.rate());
        runs.cpu.push(drained.micros_a_record(drained.cpu));
        runs.redis_cpu.push(drained.micros_a_record(drained.redis_cpu));
        runs.database_cpu.push(drained.micros_a_record(drained.database_cpu));
        runs.peak_bytes = runs.peak_bytes.max(drained.peak_bytes);
    }
}

/// Markdown; medians over the rounds, the ratio with its least and greatest value.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "| | records/s | to COPY (least to greatest) | CPU, µs a record: ours | Redis | PostgreSQL | peak memory, MiB |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|")?;
        let (rate, cpu) = (median(&self.copy_rates), median(&self.copy_cpu));
        writeln!(out, "| COPY, one connection | {rate:.0} | 1.00 | | | {cpu:.2} | |")?;
        for ((variant, collector), runs) in &self.variants {
            let traced = match collector {
                Listening::None => String::new(),
                other => format!(", collector {}", other.name()),
            };
            let (least, greatest) =
                runs.to_copy.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), ratio| {
                    (least.min(*ratio), greatest.max(*ratio))
                });
            writeln!(
                out,
                "| {}{traced} | {:.0} | {:.2} ({least:.2} to {greatest:.2}) | {:.2} | {:.2} | {:.2} | {:.0} |",
                variant.name(),
                median(&runs.rates),
                median(&runs.to_copy),
                median(&runs.cpu),
                median(&runs.redis_cpu),
                median(&runs.database_cpu),
                runs.peak_bytes as f64 / 1024.0 / 1024.0,
            )?;
        }
        writeln!(out, "\n| reading and acknowledging alone | CPU, µs a record |\n|---|---|")?;
        for (reader, costs) in &self.readers {
            writeln!(out, "| {} | {:.2} |", reader.name(), median(costs))?;
        }
        Ok(())
    }
}
