//! A rally looks as a rally does from the stream, to the codec and the rules that read it.

use std::collections::{HashMap, HashSet};
use std::num::{NonZeroU16, NonZeroUsize};
use std::time::Duration;

use processor_codec::RecordCodec;
use processor_domain::rules::RuleSet;
use processor_domain::{
    DeadLetterReason, DeviceId, DeviceStates, Fault, Faults, IoId, Judged, Position, Priority, Record,
    Timestamp, distance_m,
};
use processor_simulator::{Quirk, Rally, RallySettings, Sent};
use proptest::prelude::*;

const TEN_MINUTES: Duration = Duration::from_mins(10);

fn start() -> Timestamp {
    Timestamp::from_millis(1_777_629_600_000)
}

fn rally(cars: u16, seed: u64) -> Rally {
    let cars = NonZeroU16::new(cars).expect("there are cars");
    Rally::new(RallySettings { cars, seed, ..RallySettings::starting_at(start()) })
}

/// What arrives in the first ten minutes.
fn ten_minutes(rally: Rally) -> impl Iterator<Item = Sent> {
    rally.take_while(|sent| sent.at < start().plus(TEN_MINUTES))
}

/// What the codec and the rules make of it.
#[derive(Default)]
struct Seen {
    judged: Vec<Judged>,
    undecodable: Vec<DeadLetterReason>,
    payloads: HashMap<Box<[u8]>, usize>,
}

fn seen(rally: Rally) -> Seen {
    let codec = RecordCodec::new(processor_codec::Limits::default());
    let rules = RuleSet::standard();
    let mut states = DeviceStates::new(NonZeroUsize::new(1_000).expect("not zero"));
    let mut seen = Seen::default();
    for sent in ten_minutes(rally) {
        match codec.decode(&sent.payload, sent.at, sent.at) {
            Record::Position(position) => seen.judged.push(states.judge(&rules, position)),
            Record::Undecodable { reason, .. } => seen.undecodable.push(reason),
            Record::Lost => unreachable!("nothing was trimmed"),
        }
        *seen.payloads.entry(sent.payload).or_default() += 1;
    }
    seen
}

impl Seen {
    fn with(&self, fault: Fault) -> impl Iterator<Item = &Position> {
        self.judged.iter().filter(move |judged| judged.faults.contains(fault)).map(|judged| &judged.position)
    }

    /// Fixes that say where the car is, each moment once, by device and in the order of device time.
    fn good_fixes(&self) -> HashMap<DeviceId, Vec<&Position>> {
        let mut fixes: HashMap<_, Vec<_>> = HashMap::new();
        for judged in self.judged.iter().filter(|judged| !judged.faults.faulty()) {
            fixes.entry(judged.position.device_id).or_default().push(&judged.position);
        }
        for fixes in fixes.values_mut() {
            fixes.sort_by_key(|position| position.ts);
            fixes.dedup_by_key(|position| position.ts);
        }
        fixes
    }
}

#[test]
fn every_quirk_is_seen_within_ten_minutes() {
    let rally = rally(48, 1);
    let quirk_of: HashMap<_, _> = rally.cars().iter().map(|car| (car.device_id, car.quirk)).collect();
    for quirk in Quirk::ALL {
        assert!(quirk_of.values().filter(|of| **of == Some(quirk)).count() >= 3, "{quirk:?}");
    }
    let seen = seen(rally);
    for (fault, quirk) in [
        (Fault::NoFix, Quirk::NoFix),
        (Fault::NullIsland, Quirk::NullIsland),
        (Fault::Late, Quirk::LateUpload),
        (Fault::ImplausibleJump, Quirk::Jump),
        (Fault::Future, Quirk::FutureClock),
    ] {
        let devices: HashSet<_> = seen
            .with(fault)
            .map(|position| position.device_id)
            .filter(|device| quirk_of[device] == Some(quirk))
            .collect();
        assert!(devices.len() >= 3, "{fault:?} on {devices:?}");
    }
    let events: HashSet<_> = seen
        .judged
        .iter()
        .filter(|judged| judged.position.priority == Priority::High)
        .map(|judged| judged.position.device_id)
        .collect();
    assert!(events.iter().all(|device| quirk_of[device] == Some(Quirk::EventRecord)) && events.len() >= 3);
    assert!(seen.payloads.values().filter(|times| **times == 2).count() >= 30, "ten records, three cars");
    assert!(seen.undecodable.contains(&DeadLetterReason::NotJson), "{:?}", seen.undecodable);
}

#[test]
fn records_of_cars_without_a_quirk_have_no_fault() {
    let rally = rally(48, 2);
    let sound: HashSet<_> =
        rally.cars().iter().filter(|car| car.quirk.is_none()).map(|car| car.device_id).collect();
    let seen = seen(rally);
    let mut records = 0;
    for judged in seen.judged.iter().filter(|judged| sound.contains(&judged.position.device_id)) {
        assert_eq!(judged.faults, Faults::NONE, "{:?}", judged.position);
        records += 1;
    }
    assert!(records >= 598 * sound.len(), "one a second: {records} of {} cars", sound.len());
}

#[test]
fn a_fix_without_satellites_is_the_last_one_with_zeros() {
    let seen = seen(rally(12, 3));
    let mut found = 0;
    for position in seen.with(Fault::NoFix).filter(|position| position.coordinates.latitude() != 0.0) {
        let speed = position.speed.map(processor_domain::Speed::kmh);
        let heading = position.heading.map(processor_domain::Heading::degrees);
        assert_eq!((position.satellites, speed.unwrap_or(0.0), heading.unwrap_or(0.0)), (Some(0), 0.0, 0.0));
        let fixes = &seen.good_fixes()[&position.device_id];
        let last = fixes.iter().rev().find(|fix| fix.ts < position.ts).expect("a fix before it");
        assert_eq!(last.coordinates, position.coordinates);
        found += 1;
    }
    assert!(found >= 20, "{found}");
}

#[test]
fn a_backlog_comes_newest_first() {
    let seen = seen(rally(12, 4));
    let late: Vec<_> = seen.with(Fault::Late).collect();
    assert!(late.len() >= 14);
    let pairs = || late.windows(2).filter(|pair| pair[0].device_id == pair[1].device_id);
    let descending = pairs().filter(|pair| pair[0].ts > pair[1].ts).count();
    // Once for every backlog after the first, time steps forward.
    assert!(descending + 6 >= pairs().count(), "{descending} of {}", pairs().count());
}

#[test]
fn an_event_shares_its_second_with_a_periodic_record() {
    let seen = seen(rally(12, 5));
    let event = seen.judged.iter().find(|judged| judged.position.priority == Priority::High).expect("one");
    let key = (event.position.device_id, event.position.ts);
    let twins: Vec<_> = seen
        .judged
        .iter()
        .filter(|judged| (judged.position.device_id, judged.position.ts) == key)
        .map(|judged| {
            (judged.position.priority, judged.position.attributes.integer(&IoId::new(253)).is_some())
        })
        .collect();
    assert_eq!(twins, [(Priority::High, true), (Priority::Low, false)]);
}

#[test]
fn large_numbers_and_bytes_have_the_shapes_of_the_writer() {
    let texts: Vec<_> = ten_minutes(rally(4, 6))
        .take(200)
        .map(|sent| String::from_utf8_lossy(&sent.payload).into_owned())
        .collect();
    for shape in [r#""78":{"__bigint":""#, r#""16":{"__bigint":""#, r#""385":{"type":"Buffer","data":["#] {
        assert!(texts.iter().any(|text| text.contains(shape)), "{shape}");
    }
}

#[test]
fn memory_stays_small_however_long_it_runs() {
    // A backlog is at most 130 records; what is under way besides is a few records for each car.
    let mut rally = rally(20, 7);
    let mut last = rally.next().expect("a first record");
    while last.at < start().plus(Duration::from_hours(1)) {
        last = rally.next().expect("a next record");
        assert!(rally.records_under_way() <= 20 * 135);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others(seed in any::<u64>()) {
        let run = |seed| rally(12, seed).take(3_000).collect::<Vec<_>>();
        prop_assert!(run(seed) == run(seed));
        prop_assert!(run(seed) != run(seed.wrapping_add(1)));
    }

    #[test]
    fn arrival_times_never_go_back(seed in any::<u64>(), cars in 1_u16..30) {
        let arrivals: Vec<_> = rally(cars, seed).take(10_000).map(|sent| sent.at).collect();
        prop_assert!(arrivals.is_sorted());
        prop_assert!(arrivals[0] >= start());
    }

    #[test]
    fn following_a_clock_gives_the_same_records(seed in any::<u64>(), tick_ms in 1_u64..5_000) {
        let (all, mut followed) = (rally(11, seed), rally(11, seed));
        let mut expected = all.peekable();
        for tick in 1..50 {
            let now = start().plus(Duration::from_millis(tick * tick_ms));
            while let Some(sent) = followed.next_by(now) {
                prop_assert_eq!(Some(sent), expected.next());
            }
            prop_assert!(expected.peek().is_some_and(|next| next.at > now));
        }
    }

    #[test]
    fn good_fixes_move_as_a_car_can(seed in any::<u64>()) {
        let seen = seen(rally(12, seed));
        let fixes = seen.good_fixes();
        prop_assert_eq!(fixes.len(), 12);
        for fixes in fixes.values() {
            for pair in fixes.windows(2) {
                let metres = distance_m(pair[0].coordinates, pair[1].coordinates);
                let kmh = metres / pair[1].ts.since(pair[0].ts).as_secs_f64() * 3.6;
                prop_assert!(kmh < 200.0, "{} km/h from {:?} to {:?}", kmh, pair[0], pair[1]);
            }
        }
        for judged in &seen.judged {
            prop_assert!(!judged.faults.contains(Fault::SpeedMismatch), "{:?}", judged.position);
        }
    }
}
