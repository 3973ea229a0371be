//! Whether the device takes part in the event, or in any.

use processor_domain::{Enrolment, EventId, RosterSchema};

use super::heard::span;
use super::{Facts, Finding, LiveFacts, RosterFacts};

const WAIT: &str = "Wait for the next reading; LIVE_DEVICE_EVENT_REFRESH_MS says how often it is.";
const ASK_THE_CMS: &str = "See whether the database answers and whether its tables of the CMS may be read.";
const ENTER_IT: &str = "In Directus, give an entry of the event this device.";

/// The roster in use is what counts; the tables of the CMS say why it is as it is.
pub(super) fn enrolled(facts: &Facts, findings: &mut Vec<Finding>) {
    let roster = facts.live.as_ref().and_then(|live| live.roster.as_ref());
    let event = facts.event.as_ref();
    match roster {
        Some(roster) if takes_part(&roster.events, event) => on_roster(roster, facts, findings),
        Some(roster) => not_on_roster(Some(roster), facts, findings),
        None => {
            if facts.live.is_some() {
                let sentence = "The roster was not read yet, so no device takes part in anything.";
                findings.push(Finding::cause("roster_unread", sentence, ASK_THE_CMS));
            }
            not_on_roster(None, facts, findings);
        }
    }
    if let Some(LiveFacts { roster: Some(roster), roster_refresh, .. }) = &facts.live
        && roster.age > *roster_refresh * 3
    {
        let sentence = format!(
            "The roster was last read {} ago: what was changed since is not known.",
            span(roster.age)
        );
        findings.push(Finding::doubt("roster_old", sentence, ASK_THE_CMS));
    }
}

fn takes_part(events: &[EventId], event: Option<&EventId>) -> bool {
    event.map_or(!events.is_empty(), |event| events.contains(event))
}

fn on_roster(roster: &RosterFacts, facts: &Facts, findings: &mut Vec<Finding>) {
    findings.push(Finding::fine("enrolled", format!("It takes part in {}.", list(&roster.events))));
    if let Ok(enrolment) = &facts.enrolment
        && enrolment.schema != RosterSchema::Absent
        && !takes_part(&enrolment.events, facts.event.as_ref())
    {
        let sentence = "The tables of the CMS do not say so any more: it is gone after the next reading.";
        findings.push(Finding::doubt("roster_stale", sentence, WAIT));
    }
}

fn not_on_roster(roster: Option<&RosterFacts>, facts: &Facts, findings: &mut Vec<Finding>) {
    let event = facts.event.as_ref();
    let enrolment = match &facts.enrolment {
        Ok(enrolment) => enrolment,
        Err(why) => {
            if roster.is_some() {
                let sentence = "The roster in use has it in no such event.";
                findings.push(Finding::cause("not_on_roster", sentence, ENTER_IT));
            }
            let sentence = format!("What the CMS has of it is not known: {}.", why.0);
            findings.push(Finding::unknown("enrolment_unknown", sentence, ASK_THE_CMS));
            return;
        }
    };
    if takes_part(&enrolment.events, event) {
        let events = list(&enrolment.events);
        match roster {
            Some(roster) => {
                let sentence = format!(
                    "It takes part in {events}, but the roster in use was read {} ago and does not say so yet.",
                    span(roster.age)
                );
                findings.push(Finding::cause("roster_stale", sentence, WAIT));
            }
            None => findings.push(Finding::fine("enrolled", format!("It takes part in {events}."))),
        }
        return;
    }
    // A demonstration has a roster and no tables.
    let known = match roster {
        Some(roster) if enrolment.events.is_empty() => &roster.events,
        _ => &enrolment.events,
    };
    findings.push(why_not(enrolment, known, event));
}

/// Why the tables have it in no event, or not in this one.
fn why_not(enrolment: &Enrolment, events: &[EventId], event: Option<&EventId>) -> Finding {
    match (enrolment, event) {
        (_, Some(event)) if !events.is_empty() => Finding::cause(
            "in_other_event",
            format!("It takes part in {}, not in {event}.", list(events)),
            ENTER_IT,
        ),
        (Enrolment { schema: RosterSchema::Absent, .. }, _) => Finding::cause(
            "no_roster",
            "The database has no tables of a CMS that say which device takes part in which event.",
            "See whether DATABASE_URL is the database of Directus.",
        ),
        (Enrolment { entries, .. }, _) if *entries > 0 => Finding::cause(
            "entry_in_no_event",
            format!("It is given to {entries} entries, none of which is in an event."),
            "In Directus, set the event of its entry.",
        ),
        (Enrolment { registered: Some(false), .. }, _) => Finding::cause(
            "not_in_devices",
            "The table `devices` of the CMS has no device of this IMEI.",
            "In Directus, add the device with exactly this IMEI, and give it to an entry.",
        ),
        _ => Finding::cause("in_no_entry", "It is given to no entry.", ENTER_IT),
    }
}

fn list(events: &[EventId]) -> String {
    events.iter().map(|event| format!("event {event}")).collect::<Vec<_>>().join(", ")
}
