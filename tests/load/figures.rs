//! Numbers of the machine.

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
