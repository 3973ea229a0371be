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
    status_bytes(pid, "VmRSS:")
}

/// The most memory that a process ever held, in bytes.
///
/// # Errors
/// If there is no such process.
pub fn peak_bytes(pid: u32) -> anyhow::Result<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no memory of that kind")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_something() -> anyhow::Result<()> {
        let this = std::process::id();
        assert!(resident_bytes(this)? > 100_000);
        assert!(peak_bytes(this)? >= resident_bytes(this)? / 2);
        assert!(processor_time(this)? < Duration::from_hours(1));
        Ok(())
    }
}
