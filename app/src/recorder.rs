//! The metrics of the process, in the Prometheus text format.

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From a commit in memory to one that waits for a disk that is busy.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// From a lone record to a full batch.
const RECORDS: [f64; 9] = [1.0, 5.0, 16.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_000.0];

/// All metrics of this process.
#[derive(Clone)]
pub(crate) struct Recorder(PrometheusHandle);

impl Recorder {
    /// Makes the recorder of the process.
    ///
    /// # Errors
    /// If there is one already.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &RECORDS))
            .and_then(PrometheusBuilder::install_recorder)
            .context("no recorder for metrics")?;
        processor_ingest::describe_metrics();
        processor_live::describe_metrics();
        crate::telemetry::describe_metrics();
        Ok(Self(handle))
    }

    /// Takes in what the histograms have collected; to be called every few seconds, whether or not anybody asks for
    /// the metrics.
    pub(crate) fn upkeep(&self) {
        self.0.run_upkeep();
    }

    /// The metrics at this moment. A gauge that is not a number is not known, and is left out.
    pub(crate) fn render(&self) -> String {
        self.0.run_upkeep();
        let text = self.0.render();
        text.lines().filter(|line| !line.is_empty() && !line.ends_with(" NaN")).fold(
            String::with_capacity(text.len()),
            |mut out, line| {
                out.push_str(line);
                out.push('\n');
                out
            },
        )
    }
}
