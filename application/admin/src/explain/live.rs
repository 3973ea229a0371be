//! Whether the live picture has it, and whether anybody sees that picture.

use std::time::Duration;

use processor_domain::EventId;

use super::heard::span;
use super::{Facts, Finding, LiveFacts, Right};

/// Longer than this from the stream to the picture is noticed by those who look.
const BEHIND: Duration = Duration::from_secs(5);
/// As long as this the picture may be behind the store by chance.
const CHANCE: Duration = Duration::from_secs(10);

const ASK_REDIS: &str = "See /readyz and whether Redis answers; positions are stored all the same.";

pub(super) fn shown(facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(live) = &facts.live else {
        let sentence = "This instance has no live socket.";
        findings.push(Finding::cause(
            "live_off",
            sentence,
            "Set DIRECTUS_URL, or ask an instance that has one.",
        ));
        return;
    };
    if !live.feeds_are_there {
        let sentence = "The feed of live positions cannot be read: markers stand still.";
        findings.push(Finding::doubt("feed_away", sentence, ASK_REDIS));
    } else if let Some(delay) = live.delay.filter(|delay| *delay > BEHIND) {
        let sentence = format!("Live positions are handed out {} after the stream took them.", span(delay));
        findings.push(Finding::doubt("feed_behind", sentence, "See whether this machine is overloaded."));
    } else if is_behind_store(facts, live) {
        let sentence = "The store has a good position that is newer than what the live picture was handed.";
        let advice =
            "The picture is compared with the store once a minute; if it stays so, see the log for the feed.";
        findings.push(Finding::doubt("feed_behind", sentence, advice));
    } else {
        findings.push(Finding::fine("feed_there", "The feed of live positions is read without delay."));
    }
    watched(facts, live, findings);
}

/// Only of a device that the feeds spoke of: of others the picture has what the store has.
fn is_behind_store(facts: &Facts, live: &LiveFacts) -> bool {
    let (Some(seen), Ok(records)) = (live.newest_seen, &facts.records) else { return false };
    records.iter().any(|record| {
        let written = record.written_at.is_some_and(|written_at| facts.now.since(written_at) > CHANCE);
        !record.faulty && written && record.ts > seen
    })
}

fn watched(facts: &Facts, live: &LiveFacts, findings: &mut Vec<Finding>) {
    let on_roster = live.roster.as_ref().map_or(&[][..], |roster| &roster.events);
    let events: &[EventId] = facts.event.as_ref().map_or(on_roster, std::slice::from_ref);
    for event in events {
        match live.viewers.get(event).copied().unwrap_or(0) {
            0 => {
                let sentence = format!("Nobody watches event {event} on this instance.");
                findings.push(Finding::fine("nobody_watches", sentence));
            }
            viewers => {
                let sentence = format!("{viewers} watch event {event} on this instance.");
                findings.push(Finding::fine("watched", sentence));
            }
        }
    }
}

pub(super) fn may_be_seen(facts: &Facts, findings: &mut Vec<Finding>) {
    let (Some(right), Some(event)) = (&facts.right, &facts.event) else { return };
    findings.push(match right {
        Ok(Right::Allowed) => Finding::fine("viewer_may", format!("The viewer may see event {event}.")),
        Ok(Right::Forbidden) => Finding::cause(
            "viewer_may_not",
            format!("The viewer may not see event {event}, or there is no such event."),
            "In Directus, give the viewer's role or policy the right to read the event.",
        ),
        Ok(Right::Nobody) => Finding::cause(
            "viewer_not_signed_in",
            "The session is nobody's: it has ended, or was never one.",
            "The viewer has to sign in again.",
        ),
        Err(why) => Finding::unknown(
            "viewer_unknown",
            format!("What the viewer may see is not known: {}.", why.0),
            "See whether Directus answers.",
        ),
    });
}
