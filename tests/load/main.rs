//! The live river under load, from Redis to the sockets of many viewers: what they are told and how late, and what it
//! costs the program in processor time and memory.
//!
//! `scripts/load-live` builds all of it with optimisations and runs this. Redis, TimescaleDB and the program are real;
//! the viewers, the devices and a stub of the CMS are in this process, and share the machine with them. Options:
//!
//! | option | default | |
//! |---|---|---|
//! | `--viewers N` | 5000 | who read as fast as they can |
//! | `--devices N` | 500 | each sends once a second, one after another |
//! | `--minutes N` | 1 | how long to measure; may be a fraction |
//! | `--stalled PERCENT` | 0 | of the viewers, who do not read until they have been closed, and come back then |
//! | `--slow N` | 0 | viewers besides, who read 1 KiB a second |
//! | `--tick MS` | 100 | `LIVE_TICK_MS` |
//! | `--threads N` | 1 | that the viewers share |
//!
//! With `--ingest` a backlog of `--records N` (300,000) is drained into the table without viewers and with them, in turns,
//! `--rounds N` (3) times.

mod audience;
mod delays;
mod figures;
mod frames;
mod ingest;
mod options;
mod scene;
mod sender;
mod told;
mod watch;
mod watcher;

use crate::options::{Measured, Options};

fn main() -> anyhow::Result<()> {
    let Some(options) = Options::read(std::env::args().skip(1))? else { return Ok(()) };
    figures::raise_descriptors()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        match options.measured {
            Measured::Watching => watch::run(&options).await,
            Measured::Ingest => ingest::run(&options).await,
        }
    })
}
