use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context;
use processor_database::Database;
use processor_domain::rules::RuleSet;
use processor_domain::{DeviceState, DeviceStates, Fault, Faults, Fix, Judged, Position, Timestamp, samples};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{memory, memory_at, names, store, times};

fn seen(device: u64, ts: &str) -> Position {
    samples::position().device(device).ts(ts).build()
}

async fn recall_one(database: &Database, device: u64, now: &str) -> anyhow::Result<DeviceState> {
    let recalled = memory_at(database, samples::at(now)).recall(&[samples::device(device)]).await?;
    recalled.first().map(|(_, state)| *state).context("it is not known")
}

pub(crate) async fn a_device_that_was_never_heard_of_is_left_out(database: &Database) -> anyhow::Result<()> {
    let devices = [1, 2, 3].map(samples::device);
    assert_eq!(memory(database).recall(&devices).await?, []);
    assert_eq!(memory(database).recall_recent(10).await?, []);
    store(database, vec![(seen(2, "2026-05-01T10:00:00Z"), Faults::NONE)]).await?;
    assert_eq!(names(&memory(database).recall(&devices).await?), ["000000000000002"]);
    assert_eq!(memory(database).recall(&[]).await?, []);
    assert_eq!(memory(database).recall_recent(0).await?, []);
    Ok(())
}

pub(crate) async fn the_newest_time_and_the_newest_good_fix_are_remembered(
    database: &Database,
) -> anyhow::Result<()> {
    let mut good = seen(1, "2026-05-01T10:00:05Z");
    good.coordinates = samples::position().at(-54.5, 179.25).build().coordinates;
    store(
        database,
        vec![
            (seen(1, "2026-05-01T10:00:09.000001Z"), Fault::NoFix.into()),
            (seen(1, "2026-05-01T10:00:01Z"), Faults::NONE),
            // What is late is good all the same.
            (good.clone(), Fault::Late.into()),
            (seen(1, "2026-04-01T10:00:01Z"), Faults::NONE),
            (seen(2, "2026-05-01T09:00:00Z"), Fault::NoFix.into()),
        ],
    )
    .await?;
    let now = "2026-05-01T12:00:00Z";
    let state = recall_one(database, 1, now).await?;
    let expected = (Some("2026-05-01T10:00:09.000001Z".into()), Some("2026-05-01T10:00:05.000Z".into()));
    assert_eq!(times(&state), expected);
    assert_eq!(state.last_good().map(Fix::coordinates), Some(good.coordinates));
    let never_good = recall_one(database, 2, now).await?;
    assert_eq!(times(&never_good), (Some("2026-05-01T09:00:00.000Z".into()), None));
    Ok(())
}

pub(crate) async fn what_is_ahead_of_now_is_not_remembered(database: &Database) -> anyhow::Result<()> {
    store(
        database,
        vec![
            (seen(1, "2026-05-01T10:00:00Z"), Faults::NONE),
            (seen(1, "2026-05-01T10:01:00Z"), Faults::NONE),
            (seen(1, "2026-05-01T10:01:01Z"), Faults::NONE),
            (seen(1, "2036-05-01T10:00:00Z"), Faults::NONE),
            (seen(2, "2036-05-01T10:00:00Z"), Faults::NONE),
        ],
    )
    .await?;
    let now = samples::at("2026-05-01T10:00:00Z");
    let state = recall_one(database, 1, "2026-05-01T10:00:00Z").await?;
    assert_eq!(times(&state).0, Some("2026-05-01T10:01:00.000Z".into()), "a minute ahead may be");
    assert!(recall_one(database, 2, "2026-05-01T10:00:00Z").await.is_err());
    assert_eq!(names(&memory_at(database, now).recall_recent(9).await?), ["000000000000001"]);
    Ok(())
}

pub(crate) async fn what_was_from_the_future_stays_so_when_its_time_has_come(
    database: &Database,
) -> anyhow::Result<()> {
    store(
        database,
        vec![
            (seen(1, "2026-05-01T10:00:00Z"), Faults::NONE),
            (seen(1, "2026-05-01T11:00:00Z"), Fault::Future.into()),
            (seen(2, "2026-05-01T11:00:00Z"), Fault::Future.into()),
        ],
    )
    .await?;
    let state = recall_one(database, 1, "2026-05-01T12:00:00Z").await?;
    let at_ten = Some("2026-05-01T10:00:00.000Z".to_owned());
    assert_eq!(times(&state), (at_ten.clone(), at_ten));
    assert!(recall_one(database, 2, "2026-05-01T12:00:00Z").await.is_err());
    Ok(())
}

pub(crate) async fn thousands_are_recalled_at_once(database: &Database) -> anyhow::Result<()> {
    let known = (0..3_000).map(|device| (seen(device, "2026-05-01T10:00:00Z"), Faults::NONE)).collect();
    store(database, known).await?;
    let asked: Vec<_> = (0..6_000).rev().map(samples::device).collect();
    let recalled = memory(database).recall(&asked).await?;
    assert_eq!(recalled.len(), 3_000);
    assert!(
        recalled.iter().all(|(_, state)| state.high_water() == Some(samples::at("2026-05-01T10:00:00Z")))
    );
    assert_eq!(memory(database).recall_recent(10_000).await?.len(), 3_000);
    Ok(())
}

pub(crate) async fn the_most_recent_devices_come_last(database: &Database) -> anyhow::Result<()> {
    let hours = |device: u64, ago: u64| {
        let ts = samples::at("2026-05-01T10:00:00Z").minus(Duration::from_hours(ago));
        (samples::position().device(device).at_moment(ts).build(), Faults::NONE)
    };
    // Months apart, so that they lie in chunks far from each other.
    store(
        database,
        vec![hours(5, 0), hours(5, 2_000), hours(1, 3), hours(4, 2_000), hours(3, 1_000), hours(2, 1)],
    )
    .await?;
    let recent = |limit| {
        let memory = memory(database);
        async move { anyhow::Ok(names(&memory.recall_recent(limit).await?)) }
    };
    let all: Vec<String> = [4, 3, 1, 2, 5].map(|device| samples::device(device).to_string()).into();
    assert_eq!(recent(9).await?, all);
    assert_eq!(recent(5).await?, all);
    assert_eq!(recent(3).await?, all[2..]);
    assert_eq!(recent(1).await?, all[4..]);
    let states = memory(database).recall_recent(1).await?;
    assert_eq!(times(&states[0].1).0, Some("2026-05-01T10:00:00.000Z".into()));
    Ok(())
}

/// Positions of a few cars, now and then without a fix or from the future, in no order.
fn arrivals() -> impl Strategy<Value = Vec<Position>> {
    let one = (0_u64..6, 0_u64..2_000, 0_u8..10).prop_map(|(device, minute, kind)| {
        let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_mins(minute));
        let position = samples::position().device(device).at_moment(ts);
        match kind {
            0 => position.satellites(Some(0)).build(),
            1 => position.at(0.0, 0.0).build(),
            2 => position.received_at("2026-05-01T10:00:00Z").build(),
            _ => position.build(),
        }
    });
    prop::collection::vec(one, 1..200)
}

pub(crate) async fn what_is_recalled_is_what_memory_would_know(database: &Database) -> anyhow::Result<()> {
    let mut runner = TestRunner::deterministic();
    let now = samples::at("2026-05-03T10:00:00Z");
    let rules = RuleSet::standard();
    let mut states = DeviceStates::new(const { NonZeroUsize::new(100).expect("not zero") });
    let mut keys: HashMap<_, Timestamp> = HashMap::new();
    for _ in 0..5 {
        let arrivals =
            arrivals().new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?.current();
        // One position for each key: of two, memory has seen both and the store has united them.
        let batch: Vec<Judged> = arrivals
            .into_iter()
            .filter(|position| keys.insert((position.device_id, position.ts), position.ts).is_none())
            .map(|position| states.judge(&rules, position))
            .collect();
        database.position_store().commit(&batch).await?;
        let devices: Vec<_> = (0..6).map(samples::device).collect();
        let recalled: HashMap<_, _> = memory_at(database, now).recall(&devices).await?.into_iter().collect();
        for device in devices {
            let remembered = states.get(&device).filter(|state| state.high_water().is_some());
            let expected =
                remembered.map(|state| DeviceState::remembered(state.high_water(), state.last_good()));
            assert_eq!(recalled.get(&device), expected.as_ref(), "{device}");
        }
    }
    Ok(())
}
