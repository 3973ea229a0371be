//! What became of the records so far, in a line for people.

use std::fmt;

use processor_domain::{Fault, Outcome};

use crate::recorder::Recorder;

/// The law of accounting at one moment, read from the metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Account {
    pub(crate) read: u64,
    pub(crate) stored: u64,
    pub(crate) duplicate: u64,
    pub(crate) merged: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) lost_pending: u64,
    pub(crate) devices: u64,
    /// Marks put on positions, by the name of the fault; only those that were put.
    pub(crate) faults: Vec<(&'static str, u64)>,
}

impl Account {
    pub(crate) fn of(recorder: &Recorder) -> Self {
        Self::from_exposition(&recorder.render())
    }

    fn from_exposition(text: &str) -> Self {
        let value = |series: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
            found.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        let outcome =
            |outcome: Outcome| value(&format!("processor_records_total{{outcome=\"{}\"}}", outcome.name()));
        Self {
            read: value("processor_records_read_total"),
            stored: outcome(Outcome::Stored),
            duplicate: outcome(Outcome::Duplicate),
            merged: outcome(Outcome::Merged),
            dead_lettered: outcome(Outcome::DeadLettered),
            lost_pending: outcome(Outcome::LostPending),
            devices: value("processor_device_state_size"),
            faults: Fault::ALL
                .iter()
                .map(|fault| {
                    (
                        fault.name(),
                        value(&format!("processor_position_faults_total{{fault=\"{}\"}}", fault.name())),
                    )
                })
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }

    /// What the columns of [`Self::row`] are.
    pub(crate) const HEADER: &str =
        " cars  records/s       read     stored  duplicate  merged  dead letters  under way";

    /// One line of a running account.
    pub(crate) fn row(&self, rate: f64) -> String {
        let Self { read, stored, duplicate, merged, dead_lettered, devices, .. } = self;
        let under_way = read.saturating_sub(self.settled());
        format!(
            "{devices:>5} {rate:>10.0} {read:>10} {stored:>10} {duplicate:>10} {merged:>7} {dead_lettered:>13} {under_way:>10}"
        )
    }

    /// The marks, in a line.
    pub(crate) fn marks(&self) -> String {
        let marks: Vec<_> = self.faults.iter().map(|(fault, count)| format!("{fault} {count}")).collect();
        if marks.is_empty() { "none".to_owned() } else { marks.join(", ") }
    }

    /// Records that have an outcome.
    pub(crate) const fn settled(&self) -> u64 {
        self.stored + self.duplicate + self.merged + self.dead_lettered + self.lost_pending
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} read = {} stored + {} duplicates + {} merged + {} dead letters",
            self.read, self.stored, self.duplicate, self.merged, self.dead_lettered
        )?;
        if self.lost_pending > 0 {
            write!(out, " + {} lost", self.lost_pending)?;
        }
        match self.read.saturating_sub(self.settled()) {
            0 => Ok(()),
            pending => write!(out, " + {pending} under way"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_the_metrics_and_adds_up() {
        let text = "# HELP x y\nprocessor_records_read_total 10\nprocessor_records_total{outcome=\"stored\"} 7\n\
                    processor_records_total{outcome=\"duplicate\"} 1\nprocessor_device_state_size 3\n";
        let account = Account::from_exposition(text);
        assert_eq!((account.read, account.settled(), account.devices), (10, 8, 3));
        assert_eq!(
            account.to_string(),
            "10 read = 7 stored + 1 duplicates + 0 merged + 0 dead letters + 2 under way"
        );
    }
}
