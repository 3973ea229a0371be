//! Hours under load, with a fault every few minutes: whether the account closes all the time, and whether memory,
//! files and connections stay as they are.
//!
//! `scripts/soak` builds all of it with optimisations and runs this. Options: `--minutes N` (default 60), `--devices N`
//! (1,000), `--rate N` (records a second of each, 2), `--fault-every N` (minutes between faults, 5), `--chapter N`
//! (seconds from one account to the next, 60), `--viewers N` (3), `--seed N` (1), `--report FILE` (target/soak.md).
//!
//! Two instances share the group. One of them is killed and started again by some of the faults; the other lives from
//! beginning to end, and what it takes of the machine is what the table and its slopes are about.
//!
//! A soak goes in chapters. In each, devices send for as long as a chapter lasts; then the account of the chapter is
//! closed from ground truth, and table and stream are emptied, so that a day needs no more room than a minute. A row that
//! is written late, or once more, is found by the account of a later chapter.

mod audience;
mod fault;
mod load;
mod options;
mod scene;
mod vitals;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use processor_tests::{Account, Chance};

use crate::audience::Audience;
use crate::fault::Fault;
use crate::load::Load;
use crate::options::Options;
use crate::scene::Scene;
use crate::vitals::{Report, Vitals};

/// How long after the end of a chapter its account may take to close: as long as the last fault needs to heal.
const SETTLED: Duration = Duration::from_mins(3);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    eprintln!("{options:?}");
    let mut scene = Scene::set(options.devices).await?;
    let mut chance = Chance::of(options.seed);
    let mut faults: Vec<Fault> = Vec::new();
    let mut audience = Audience::enter(&scene, options.viewers).await?;
    let mut load = Load::new(options.devices, options.rate);
    let mut report = Report::default();
    let (began, mut next_fault) = (Instant::now(), options.fault_every);

    while began.elapsed() < options.time {
        let (watching, sending) = (audience.watch(), load.send_to(&scene));
        let end = tokio::time::Instant::now() + options.chapter;
        let mut what = "";
        if began.elapsed() + options.chapter > next_fault {
            next_fault += options.fault_every;
            // Every kind comes before any comes again.
            if faults.is_empty() {
                faults = chance.shuffled(Fault::ALL.to_vec());
            }
            let fault = faults.pop().context("there are faults")?;
            what = fault.name();
            fault.strike(&mut scene, &mut chance).await.with_context(|| format!("fault: {what}"))?;
        }
        tokio::time::sleep_until(end).await;
        let ledger;
        (load, ledger) = sending.end(&scene).await?;
        let account = scene.settled(&ledger, SETTLED).await;
        let given = ledger.given();
        ensure!(account == Account { given, rows: given, ..Account::default() }, "{what}: {account:?}");
        audience = watching.end(&scene).await.with_context(|| format!("after the fault: {what}"))?;
        let vitals = Vitals::of(&scene, began.elapsed()).await?;
        report.chapter(given, what, vitals);
        scene.clear().await?;
        report.write(&options.report)?;
    }
    let ended = scene.end().await;
    report.write(&options.report)?;
    println!("{report}");
    ended
}
