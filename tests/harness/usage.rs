//! What a process takes, as the system counts it.

use std::time::Duration;

use anyhow::Context;

/// Processor time of a process so far, in steps of ten milliseconds.
///
/// # Errors
/// If there is no such process.
pub fn processor_time(pid: u32) -> anyhow::Result<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in brackets, may hold spaces; user and system time are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(") ").context("no process statistics")?;
    let ticks: u32 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}

/// How much memory a process holds, in bytes.
///
/// # Errors
/// If there is no such process.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    Ok(status(pid, "VmRSS:")? * 1_024)
}

/// The most memory that a process ever held, in bytes.
///
/// # Errors
/// If there is no such process.
pub fn peak_bytes(pid: u32) -> anyhow::Result<u64> {
    Ok(status(pid, "VmHWM:")? * 1_024)
}

/// How many threads a process has.
///
/// # Errors
/// If there is no such process.
pub fn threads(pid: u32) -> anyhow::Result<u64> {
    status(pid, "Threads:")
}

/// How many files a process has open, sockets included.
///
/// # Errors
/// If there is no such process.
pub fn open_files(pid: u32) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// A number of the status of a process; memory is in kibibytes.
fn status(pid: u32, field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    Ok(line.with_context(|| format!("no {field} in the status"))?.trim().trim_end_matches(" kB").parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_something() -> anyhow::Result<()> {
        let this = std::process::id();
        assert!(resident_bytes(this)? > 100_000);
        assert!(peak_bytes(this)? >= resident_bytes(this)? / 2);
        assert!(threads(this)? >= 1 && open_files(this)? >= 1);
        assert!(processor_time(this)? < Duration::from_hours(1));
        Ok(())
    }
}
