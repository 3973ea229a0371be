//! What the program takes of the machine, over time.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use processor_tests::{open_files, resident_bytes, slope_an_hour, threads};

use crate::scene::Scene;

/// The steady instance, and what the servers see of all, at one moment.
pub(crate) struct Vitals {
    at: Duration,
    resident_mib: f64,
    files: f64,
    threads: f64,
    redis_connections: f64,
    database_connections: f64,
}

impl Vitals {
    pub(crate) async fn of(scene: &Scene, since_the_beginning: Duration) -> anyhow::Result<Self> {
        let pid = scene.steady().pid();
        let (redis, database) = scene.connections().await?;
        Ok(Self {
            at: since_the_beginning,
            resident_mib: resident_bytes(pid)? as f64 / f64::from(1 << 20),
            files: open_files(pid)? as f64,
            threads: threads(pid)? as f64,
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
            let minutes = vitals.at.as_secs_f64() / 60.0;
            let [resident, rest @ ..] = vitals.values();
            let rest = rest.map(|value| format!("{value:.0}")).join(" | ");
            format!("| {minutes:.1} | {records} | {resident:.1} | {rest} | {fault} |")
        })
    }

    /// Per hour, of the second half: the first is for whatever has yet to find its size.
    fn slopes(&self) -> Option<[f64; 5]> {
        let half = &self.chapters[self.chapters.len() / 2..];
        (half.len() >= 3).then(|| {
            std::array::from_fn(|which| {
                let points = half.iter().map(|(_, _, vitals)| (vitals.at, vitals.values()[which]));
                slope_an_hour(&points.collect::<Vec<_>>())
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
