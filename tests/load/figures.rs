//! Numbers of the machine, and lines through them.

use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// As many files as may be open: every viewer is one here, and one more in the program.
pub(crate) fn raise_descriptors() -> anyhow::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(())
}

/// Processors that there are.
pub(crate) fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1, usize::from) as f64
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// How much a value grows in an hour: the slope of the line that is nearest to the points.
pub(crate) fn slope_an_hour(points: &[(Duration, f64)]) -> f64 {
    let hours = |time: &Duration| time.as_secs_f64() / 3_600.0;
    let count = points.len() as f64;
    let mean_time = points.iter().map(|(time, _)| hours(time)).sum::<f64>() / count;
    let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
    let together: f64 = points.iter().map(|(time, value)| (hours(time) - mean_time) * (value - mean)).sum();
    let spread: f64 = points.iter().map(|(time, _)| (hours(time) - mean_time).powi(2)).sum();
    together / spread
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}
