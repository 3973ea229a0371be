//! What the program takes of the machine, over time.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::scene::Scene;

/// The steady instance, and what the servers see of all, at one moment.
pub(crate) struct Vitals {
    hours: f64,
    resident_mib: f64,
    files: f64,
    threads: f64,
    redis_connections: f64,
    database_connections: f64,
}

impl Vitals {
    pub(crate) async fn of(scene: &Scene, since_the_beginning: Duration) -> anyhow::Result<Self> {
        let process = Path::new("/proc").join(scene.steady().pid().to_string());
        let status = fs::read_to_string(process.join("status"))?;
        let number = |name: &str| -> anyhow::Result<f64> {
            let value =
                status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_owned())?;
            Ok(value.trim().trim_end_matches(" kB").parse()?)
        };
        let (redis, database) = scene.connections().await?;
        Ok(Self {
            hours: since_the_beginning.as_secs_f64() / 3_600.0,
            resident_mib: number("VmRSS:")? / 1_024.0,
            files: fs::read_dir(process.join("fd"))?.count() as f64,
            threads: number("Threads:")?,
            redis_connections: redis as f64,
            database_connections: database as f64,
        })
    }

    const fn values(&self) -> [f64; 5] {
        [self.resident_mib, self.files, self.threads, self.redis_connections, self.database_connections]
    }
}

/// A line a chapter, and slopes.
#[derive(Default)]
pub(crate) struct Report {
    chapters: Vec<(usize, &'static str, Vitals)>,
}

impl Report {
    pub(crate) fn chapter(&mut self, records: usize, fault: &'static str, vitals: Vitals) {
        self.chapters.push((records, fault, vitals));
        if let Some(line) = self.lines().last() {
            eprintln!("{line}");
        }
    }

    /// Keeps the report in a file, so that a soak which is ended halfway leaves one too.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, self.to_string()).with_context(|| path.display().to_string())
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        self.chapters.iter().map(|(records, fault, vitals)| {
            let minutes = vitals.hours * 60.0;
            let [resident, rest @ ..] = vitals.values();
            let rest = rest.map(|value| format!("{value:.0}")).join(" | ");
            format!("| {minutes:.1} | {records} | {resident:.1} | {rest} | {fault} |")
        })
    }

    /// Per hour, by least squares, of the second half: the first is for whatever has yet to find its size.
    fn slopes(&self) -> Option<[f64; 5]> {
        let half = &self.chapters[self.chapters.len() / 2..];
        let count = half.len() as f64;
        let mean = half.iter().map(|(_, _, vitals)| vitals.hours).sum::<f64>() / count;
        let spread: f64 = half.iter().map(|(_, _, vitals)| (vitals.hours - mean).powi(2)).sum();
        (half.len() >= 3).then(|| {
            std::array::from_fn(|which| {
                let along = half.iter().map(|(_, _, vitals)| (vitals.hours - mean) * vitals.values()[which]);
                along.sum::<f64>() / spread
            })
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: usize = self.chapters.iter().map(|(records, ..)| records).sum();
        writeln!(
            out,
            "{records} records in {} chapters; the account of each has closed.\n",
            self.chapters.len()
        )?;
        writeln!(
            out,
            "| minute | records | resident, MiB | files | threads | Redis connections, of all | \
             database connections, of all | fault |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|")?;
        for line in self.lines() {
            writeln!(out, "{line}")?;
        }
        if let Some([resident, rest @ ..]) = self.slopes() {
            let rest = rest.map(|value| format!("{value:+.2}")).join(" | ");
            writeln!(out, "| per hour | | {resident:+.2} | {rest} | second half |")?;
        }
        Ok(())
    }
}
