//! Processor time, memory, delays.

use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};

/// Processor time for each of so many deliveries.
pub(crate) struct Sample {
    spent: Duration,
    deliveries: u64,
}

impl Sample {
    /// What `work` costs this process, with its system calls.
    pub(crate) fn of(deliveries: u64, work: impl FnOnce()) -> Self {
        let before = processor_time();
        work();
        Self { spent: processor_time().saturating_sub(before), deliveries }
    }

    pub(crate) fn micros(&self) -> f64 {
        self.spent.as_secs_f64() * 1e6 / self.deliveries as f64
    }
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system counts");
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
            Duration::from_micros(u64::try_from(micros).expect("not negative"))
        })
        .sum()
}

/// Memory of this process that is in RAM.
pub(crate) fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4_096
}

/// As many files as may be open.
pub(crate) fn raise_descriptors() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("it may be raised");
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Delays in milliseconds, in their order.
pub(crate) struct Delays(Vec<f64>);

impl Delays {
    pub(crate) fn of(mut millis: Vec<f64>) -> Self {
        millis.sort_by(f64::total_cmp);
        Self(millis)
    }

    /// The delay that this part of them does not exceed.
    pub(crate) fn at(&self, part: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let index = ((self.0.len() as f64 * part) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
}
