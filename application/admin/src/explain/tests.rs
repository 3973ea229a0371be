use std::collections::BTreeMap;
use std::time::Duration;

use processor_domain::{Enrolment, EventId, Fault, Faults, RosterSchema, StoredRecord, samples};
use proptest::prelude::*;

use super::*;

fn event(id: &str) -> EventId {
    EventId::parse(id).unwrap()
}

fn record(seconds_ago: u64, faults: Faults) -> StoredRecord {
    let ts = samples::at("2026-05-01T10:00:00Z").minus(Duration::from_secs(seconds_ago));
    StoredRecord { ts, written_at: Some(ts), coordinates: None, faults, faulty: faults.faulty() }
}

/// A car that is on the map, and watched.
fn on_map() -> Facts {
    let now = samples::at("2026-05-01T10:00:00Z");
    let rally = event("rally");
    Facts {
        now,
        records: Ok(vec![record(1, Faults::NONE), record(2, Faults::NONE)]),
        last_good: Ok(Some(record(1, Faults::NONE).ts)),
        letters: Ok(None),
        enrolment: Ok(Enrolment {
            schema: RosterSchema::Key,
            registered: Some(true),
            entries: 1,
            entries_without_event: 0,
            events: vec![rally.clone()],
        }),
        live: Some(LiveFacts {
            roster: Some(RosterFacts { age: Duration::from_secs(10), events: vec![rally.clone()] }),
            roster_refresh: Duration::from_secs(30),
            feeds_are_there: true,
            delay: Some(Duration::from_millis(20)),
            newest_seen: Some(record(1, Faults::NONE).ts),
            viewers: BTreeMap::from([(rally, 3)]),
        }),
        event: None,
        right: None,
    }
}

fn live(change: impl FnOnce(&mut LiveFacts)) -> Facts {
    let mut facts = on_map();
    change(facts.live.as_mut().unwrap());
    facts
}

/// Of a device that is on no roster, for what the CMS has of it.
fn enrolment(change: impl FnOnce(&mut Enrolment)) -> Facts {
    let mut facts = live(|live| live.roster.as_mut().unwrap().events.clear());
    let enrolment = facts.enrolment.as_mut().unwrap();
    enrolment.events.clear();
    change(enrolment);
    facts
}

fn not_known<T>() -> Fact<T> {
    Err(Unknown("the store is unavailable".to_owned()))
}

/// The codes of this weight, in their order.
fn codes(facts: &Facts, weight: Weight) -> Vec<&'static str> {
    let findings = explain(facts).findings;
    findings.iter().filter(|finding| finding.weight == weight).map(|finding| finding.code).collect()
}

/// The only cause.
fn cause(facts: &Facts) -> &'static str {
    let explanation = explain(facts);
    let causes = codes(facts, Weight::Cause);
    assert_eq!(causes.len(), 1, "{explanation:#?}");
    assert_eq!(explanation.verdict, Verdict::NotOnMap);
    assert_eq!(explanation.findings[0].code, causes[0], "the cause comes first");
    causes[0]
}

/// The only doubt about a car that is on the map.
fn doubt(facts: &Facts) -> &'static str {
    let explanation = explain(facts);
    let doubts = codes(facts, Weight::Doubt);
    assert_eq!(doubts.len(), 1, "{explanation:#?}");
    assert_eq!(explanation.verdict, Verdict::OnMap);
    doubts[0]
}

#[test]
fn a_car_that_is_on_the_map_has_nothing_but_what_is_as_it_should_be() {
    let explanation = explain(&on_map());
    assert_eq!(explanation.verdict, Verdict::OnMap);
    let codes: Vec<_> = explanation.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["heard_of", "good_position", "enrolled", "feed_there", "watched"]);
    assert!(explanation.findings.iter().all(|finding| finding.advice.is_none()));
}

#[test]
fn a_device_that_was_never_heard_of() {
    let facts = Facts { records: Ok(vec![]), last_good: Ok(None), ..on_map() };
    assert_eq!(cause(&facts), "never_heard_of");
}

#[test]
fn a_device_of_which_nothing_could_be_stored() {
    let newest = samples::at("2026-05-01T09:59:00Z");
    let letters = LettersOfDevice { count: 3, newest, reason: "not_json".to_owned() };
    let facts = Facts { records: Ok(vec![]), last_good: Ok(None), letters: Ok(Some(letters)), ..on_map() };
    assert_eq!(cause(&facts), "only_dead_letters");
    let said = &explain(&facts).findings[0].sentence;
    assert!(said.contains("3 dead letters") && said.contains("not_json"), "{said}");
}

#[test]
fn a_device_of_which_some_records_could_not_be_stored() {
    let newest = samples::at("2026-05-01T09:59:00Z");
    let letters = LettersOfDevice { count: 1, newest, reason: "not_json".to_owned() };
    assert_eq!(doubt(&Facts { letters: Ok(Some(letters)), ..on_map() }), "dead_letters");
}

#[test]
fn a_device_that_is_silent_stays_where_it_was() {
    let silent = |minutes: u64| {
        let records = vec![record(minutes * 60, Faults::NONE)];
        let mut facts = live(|live| live.newest_seen = None);
        facts.records = Ok(records);
        facts
    };
    assert_eq!(codes(&silent(5), Weight::Doubt), [""; 0]);
    assert_eq!(doubt(&silent(6)), "silent");
    let said = explain(&silent(180)).findings[0].sentence.clone();
    assert!(
        said.starts_with("The last record came 3 h ago, with device time 2026-05-01T07:00:00.000Z"),
        "{said}"
    );
}

#[test]
fn a_device_whose_records_come_late_or_from_the_future() {
    let written = |ts_ago: u64, written_ago: u64| {
        let written_at = Some(record(written_ago, Faults::NONE).ts);
        Facts { records: Ok(vec![StoredRecord { written_at, ..record(ts_ago, Faults::NONE) }]), ..on_map() }
    };
    assert_eq!(doubt(&written(70, 1)), "late");
    assert_eq!(doubt(&written(1, 70)), "clock_ahead");
    assert_eq!(codes(&written(61, 1), Weight::Doubt), [""; 0]);
    let unknown =
        Facts { records: Ok(vec![StoredRecord { written_at: None, ..record(1, Faults::NONE) }]), ..on_map() };
    assert_eq!(explain(&unknown).verdict, Verdict::OnMap);
}

#[test]
fn a_device_whose_last_positions_are_faulty_stays_at_the_last_good_one() {
    let no_fix = Faults::from(Fault::NoFix);
    let records = vec![
        record(1, no_fix.with(Fault::Late)),
        record(2, no_fix),
        record(3, Faults::NONE),
        record(4, no_fix),
    ];
    let facts = Facts { records: Ok(records), last_good: Ok(Some(record(3, no_fix).ts)), ..on_map() };
    assert_eq!(doubt(&facts), "last_positions_faulty");
    let said = explain(&facts).findings[0].sentence.clone();
    assert_eq!(
        said,
        "The last 2 positions are faulty (late 1, no_fix 2); the marker stands where the car was at 2026-05-01T09:59:57.000Z."
    );
}

#[test]
fn a_device_without_any_good_position_has_no_marker() {
    let facts =
        Facts { records: Ok(vec![record(1, Fault::NullIsland.into())]), last_good: Ok(None), ..on_map() };
    assert_eq!(cause(&facts), "no_good_position");
    let facts = Facts { last_good: not_known(), ..facts };
    assert_eq!(explain(&facts).verdict, Verdict::Unknown);
    assert_eq!(codes(&facts, Weight::Unknown), ["good_position_unknown"]);
}

#[test]
fn a_device_that_takes_part_in_nothing_is_told_what_is_missing() {
    assert_eq!(cause(&enrolment(|enrolment| enrolment.schema = RosterSchema::Absent)), "no_roster");
    let unregistered = enrolment(|enrolment| {
        enrolment.registered = Some(false);
        enrolment.entries = 0;
    });
    assert_eq!(cause(&unregistered), "not_in_devices");
    assert_eq!(cause(&enrolment(|enrolment| enrolment.entries = 0)), "in_no_entry");
    let no_table = enrolment(|enrolment| {
        enrolment.registered = None;
        enrolment.entries = 0;
    });
    assert_eq!(cause(&no_table), "in_no_entry");
    assert_eq!(cause(&enrolment(|enrolment| enrolment.entries_without_event = 1)), "entry_in_no_event");
}

#[test]
fn a_device_of_another_event_is_told_of_which() {
    let facts = Facts { event: Some(event("other")), ..on_map() };
    assert_eq!(cause(&facts), "in_other_event");
    assert!(explain(&facts).findings[0].sentence.contains("event rally"));
    assert_eq!(explain(&Facts { event: Some(event("rally")), ..on_map() }).verdict, Verdict::OnMap);
}

#[test]
fn a_roster_that_is_behind_the_tables_is_found() {
    let entered = live(|live| live.roster.as_mut().unwrap().events.clear());
    assert_eq!(cause(&entered), "roster_stale");
    let mut left = on_map();
    left.enrolment.as_mut().unwrap().events.clear();
    assert_eq!(doubt(&left), "roster_stale");
    assert_eq!(
        doubt(&live(|live| live.roster.as_mut().unwrap().age = Duration::from_secs(91))),
        "roster_old"
    );
    assert_eq!(cause(&live(|live| live.roster = None)), "roster_unread");
}

#[test]
fn a_roster_without_tables_is_that_of_a_demonstration() {
    let facts = Facts { enrolment: Ok(Enrolment::absent()), ..on_map() };
    assert_eq!(explain(&facts).verdict, Verdict::OnMap);
    assert_eq!(codes(&facts, Weight::Doubt), [""; 0]);
    assert_eq!(cause(&Facts { event: Some(event("other")), ..facts }), "in_other_event");
}

#[test]
fn a_feed_that_is_away_or_behind_lets_markers_stand_still() {
    assert_eq!(doubt(&live(|live| live.feeds_are_there = false)), "feed_away");
    assert_eq!(doubt(&live(|live| live.delay = Some(Duration::from_secs(6)))), "feed_behind");
    let mut behind = live(|live| live.newest_seen = Some(record(60, Faults::NONE).ts));
    behind.records = Ok(vec![record(20, Faults::NONE)]);
    assert_eq!(doubt(&behind), "feed_behind");
    behind.records = Ok(vec![record(5, Faults::NONE)]);
    assert_eq!(
        codes(&behind, Weight::Doubt),
        [""; 0],
        "what was stored just now may not have been handed out yet"
    );
    assert_eq!(cause(&Facts { live: None, ..on_map() }), "live_off");
}

#[test]
fn whether_anybody_watches_is_told_of_each_event() {
    let nobody = live(|live| live.viewers.clear());
    assert!(codes(&nobody, Weight::Fine).contains(&"nobody_watches"));
    assert_eq!(explain(&nobody).verdict, Verdict::OnMap);
}

#[test]
fn whether_a_viewer_may_see_the_event() {
    let asked = |right| Facts { event: Some(event("rally")), right: Some(right), ..on_map() };
    assert!(codes(&asked(Ok(Right::Allowed)), Weight::Fine).contains(&"viewer_may"));
    assert_eq!(cause(&asked(Ok(Right::Forbidden))), "viewer_may_not");
    assert_eq!(cause(&asked(Ok(Right::Nobody))), "viewer_not_signed_in");
    assert_eq!(codes(&asked(not_known()), Weight::Unknown), ["viewer_unknown"]);
}

#[test]
fn a_store_that_is_away_leaves_open_what_only_it_knows() {
    let facts = Facts {
        records: not_known(),
        last_good: not_known(),
        letters: not_known(),
        enrolment: not_known(),
        ..on_map()
    };
    assert_eq!(explain(&facts).verdict, Verdict::Unknown);
    assert_eq!(codes(&facts, Weight::Unknown), ["store_unavailable"]);
    let facts = Facts { live: live(|live| live.roster.as_mut().unwrap().events.clear()).live, ..facts };
    assert_eq!(codes(&facts, Weight::Cause), ["not_on_roster"]);
    assert_eq!(codes(&facts, Weight::Unknown), ["store_unavailable", "enrolment_unknown"]);
}

fn any_fact<T: Clone + std::fmt::Debug + 'static>(
    known: impl Strategy<Value = T>,
) -> impl Strategy<Value = Fact<T>> {
    prop_oneof![3 => known.prop_map(Ok), 1 => Just(not_known())]
}

prop_compose! {
    fn any_facts()(
        records in any_fact(prop::collection::vec((0_u64..4_000, 0_u16..1024), 0..4)),
        last_good in any_fact(prop::option::of(0_u64..4_000)),
        schema in 0_usize..4,
        registered: Option<bool>,
        (entries, without) in (0_usize..3, 0_usize..3),
        events in prop::collection::vec(0_u8..3, 0..3),
        on_roster in prop::option::of(prop::collection::vec(0_u8..3, 0..3)),
        is_live: bool,
        enrolment_known: bool,
        asked in prop::option::of(0_u8..3),
    ) -> Facts {
        let number = |number: &u8| event(&number.to_string());
        let schemas = [RosterSchema::Absent, RosterSchema::Key, RosterSchema::ImeiOrKey, RosterSchema::Imei];
        let enrolment = Enrolment {
            schema: schemas[schema],
            registered,
            entries,
            entries_without_event: without,
            events: events.iter().map(number).collect(),
        };
        let mut facts = live(|live| {
            live.roster = on_roster.map(|events| RosterFacts {
                age: Duration::ZERO,
                events: events.iter().map(number).collect(),
            });
        });
        facts.records = records.map(|records: Vec<(u64, u16)>| {
            records.into_iter().map(|(ago, faults)| record(ago, Faults::from_bits(faults))).collect()
        });
        facts.last_good = last_good.map(|ago| ago.map(|ago| record(ago, Faults::NONE).ts));
        facts.enrolment = if enrolment_known { Ok(enrolment) } else { not_known() };
        facts.event = asked.as_ref().map(number);
        if !is_live {
            facts.live = None;
        }
        facts
    }
}

proptest! {
    /// Whoever is not on the map is told why, whoever is on it has a good position and takes part, and what is not
    /// known is never taken for either.
    #[test]
    fn every_verdict_has_its_reason(facts in any_facts()) {
        let Explanation { verdict, findings } = explain(&facts);
        let has = |weight| findings.iter().any(|finding| finding.weight == weight);
        prop_assert_eq!(verdict == Verdict::NotOnMap, has(Weight::Cause));
        prop_assert!(verdict != Verdict::Unknown || has(Weight::Unknown));
        prop_assert!(findings.is_sorted_by_key(|finding| finding.weight));
        prop_assert!(findings.iter().all(|finding| finding.advice.is_some() != (finding.weight == Weight::Fine)));
        if verdict == Verdict::OnMap {
            let records = facts.records.clone().unwrap();
            prop_assert!(!records.is_empty());
            prop_assert!(!records[0].faulty || facts.last_good.unwrap().is_some());
            let roster = facts.live.and_then(|live| live.roster).expect("a roster in use");
            prop_assert!(facts.event.map_or(!roster.events.is_empty(), |event| roster.events.contains(&event)));
        }
    }
}
