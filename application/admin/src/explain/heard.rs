//! Whether anything came in, and whether it says where the car is.

use std::collections::BTreeMap;
use std::time::Duration;

use processor_domain::{StoredRecord, Timestamp};

use super::{Facts, Finding, LettersOfDevice};

/// A tracker that moves sends about once a second; one that stands still, once in a few minutes.
const SILENT: Duration = Duration::from_mins(5);
/// What the mark `late` and the mark `future` mean as well.
const CLOCK: Duration = Duration::from_mins(1);

const ASK_THE_TRACKER: &str = "Compare the IMEI with the one on the tracker; see whether it has power, a SIM card with credit, \
                               and the address of the ingestion service.";
const READ_THE_LETTERS: &str =
    "GET /admin/v1/dead-letters shows them and says why; what was set aside wrongly can be redriven.";
const ASK_THE_STORE: &str =
    "See /readyz and whether the database answers; the live picture goes on without it.";

pub(super) fn heard(facts: &Facts, findings: &mut Vec<Finding>) {
    let letters = facts.letters.as_ref();
    match &facts.records {
        Err(why) => {
            let sentence = format!("What is stored of this device is not known: {}.", why.0);
            findings.push(Finding::unknown("store_unavailable", sentence, ASK_THE_STORE));
        }
        Ok(records) => match (records.first(), letters) {
            (Some(newest), _) => heard_of(newest, facts.now, findings),
            (None, Ok(Some(letters))) => {
                let sentence =
                    format!("Records of this device came in and none could be stored: {}.", said(letters));
                findings.push(Finding::cause("only_dead_letters", sentence, READ_THE_LETTERS));
            }
            (None, Ok(None)) => findings.push(Finding::cause(
                "never_heard_of",
                "No record of this device was ever stored, and no dead letter names it.",
                ASK_THE_TRACKER,
            )),
            (None, Err(why)) => {
                let sentence = "No record of this device was ever stored.";
                findings.push(Finding::cause("never_stored", sentence, ASK_THE_TRACKER));
                let sentence = format!("Whether dead letters name this device is not known: {}.", why.0);
                findings.push(Finding::unknown("dead_letters_unknown", sentence, READ_THE_LETTERS));
            }
        },
    }
    if let Ok(Some(letters)) = letters
        && !facts.records.as_ref().is_ok_and(Vec::is_empty)
    {
        let sentence = format!("Some records of this device were set aside: {}.", said(letters));
        findings.push(Finding::doubt("dead_letters", sentence, READ_THE_LETTERS));
    }
}

fn said(letters: &LettersOfDevice) -> String {
    let LettersOfDevice { count, newest, reason } = letters;
    let letters = if *count == 1 { "dead letter" } else { "dead letters" };
    format!("{count} {letters} among the newest ones, the last of {newest} because of {reason}")
}

fn heard_of(newest: &StoredRecord, now: Timestamp, findings: &mut Vec<Finding>) {
    let came = newest.written_at.unwrap_or(newest.ts);
    let ago = now.since(came);
    if ago > SILENT {
        let sentence = format!(
            "The last record came {} ago, with device time {}; the marker stands where the car was then.",
            span(ago),
            newest.ts
        );
        findings.push(Finding::doubt("silent", sentence, "See whether the tracker has power and a network."));
    } else {
        findings.push(Finding::fine("heard_of", format!("The last record came {} ago.", span(ago))));
    }
    let Some(written_at) = newest.written_at else { return };
    if written_at.since(newest.ts) > CLOCK {
        let sentence = format!(
            "The last record was stored {} after the device measured it: the tracker sends late, its clock is behind, \
             or there is a backlog.",
            span(written_at.since(newest.ts))
        );
        let advice = "If all devices are late, see processor_consumer_lag; if only this one, see its network and clock.";
        findings.push(Finding::doubt("late", sentence, advice));
    } else if newest.ts.since(written_at) > CLOCK {
        let sentence = format!(
            "The last record has a device time {} ahead of when it was stored.",
            span(newest.ts.since(written_at))
        );
        findings.push(Finding::doubt("clock_ahead", sentence, "Set the clock of the tracker."));
    }
}

/// Whether the newest records say where the car is.
pub(super) fn good(facts: &Facts, findings: &mut Vec<Finding>) {
    let Ok(records) = &facts.records else { return };
    let Some(newest) = records.first() else { return };
    let faulty: Vec<_> = records.iter().take_while(|record| record.faulty).collect();
    if faulty.is_empty() {
        let sentence = format!("The last position, of {}, is good.", newest.ts);
        findings.push(Finding::fine("good_position", sentence));
        return;
    }
    let advice = "See what the marks mean in docs/architecture.md; without satellites the antenna has no view of the sky.";
    let (count, marks) = (faulty.len(), marks(&faulty));
    let last = if count == 1 {
        "The last position is".to_owned()
    } else {
        format!("The last {count} positions are")
    };
    match &facts.last_good {
        Ok(Some(good)) => {
            let sentence = format!("{last} faulty ({marks}); the marker stands where the car was at {good}.");
            findings.push(Finding::doubt("last_positions_faulty", sentence, advice));
        }
        Ok(None) => {
            let sentence = format!("{last} faulty ({marks}), and no good one is known.");
            findings.push(Finding::cause("no_good_position", sentence, advice));
        }
        Err(why) => {
            let sentence =
                format!("{last} faulty ({marks}), and whether there is a good one is not known: {}.", why.0);
            findings.push(Finding::unknown("good_position_unknown", sentence, ASK_THE_STORE));
        }
    }
}

/// The marks of these records, each with how many have it.
fn marks(records: &[&StoredRecord]) -> String {
    let mut marks: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in records.iter().flat_map(|record| record.faults.iter()) {
        *marks.entry(fault.name()).or_default() += 1;
    }
    if marks.is_empty() {
        return "without a mark that says why".to_owned();
    }
    marks.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// A span of time for people.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 7_200 => format!("{} min", seconds / 60),
        seconds if seconds < 172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
