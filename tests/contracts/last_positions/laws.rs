use std::collections::BTreeMap;
use std::time::Duration;

use processor_database::Database;
use processor_domain::ports::{Clock, SystemClock};
use processor_domain::{Altitude, Fault, Faults, Heading, Position, Priority, Speed, samples};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{last_of, store, times};

fn seen(device: u64, ts: &str) -> Position {
    samples::position().device(device).ts(ts).build()
}

pub(crate) async fn a_device_that_was_never_heard_of_is_left_out(database: &Database) -> anyhow::Result<()> {
    assert_eq!(last_of(database, [1, 2]).await?, []);
    store(database, vec![(seen(2, "2026-05-01T10:00:00Z"), Faults::NONE)]).await?;
    assert_eq!(last_of(database, [1, 2]).await?.len(), 1);
    assert_eq!(last_of(database, []).await?, []);
    Ok(())
}

pub(crate) async fn only_the_devices_asked_for_are_told(database: &Database) -> anyhow::Result<()> {
    let all = (1..=4).map(|device| (seen(device, "2026-05-01T10:00:00Z"), Faults::NONE)).collect();
    store(database, all).await?;
    let found = last_of(database, [4, 2]).await?;
    assert_eq!(
        found.iter().map(|position| position.device_id).collect::<Vec<_>>(),
        [2, 4].map(samples::device)
    );
    Ok(())
}

pub(crate) async fn all_that_a_map_shows_comes_back_as_it_was(database: &Database) -> anyhow::Result<()> {
    let mut position = samples::position().ts("2026-05-01T10:00:00.123456Z").at(-54.000_000_1, 179.999_999_9);
    position = position.speed(45.5).satellites(Some(255)).priority(Priority::Panic);
    let mut position = position.build();
    position.altitude = Altitude::from_metres(-12.5);
    position.heading = Heading::from_degrees(359.9);
    let before = SystemClock.now().minus(Duration::from_mins(5));
    store(database, vec![(position.clone(), Faults::NONE)]).await?;

    let found = database.last_positions().last_positions(&[position.device_id]).await?;
    let received_at = found[0].received_at;
    assert!(received_at > before, "when it was written, which was now");
    let attributes = samples::position().attributes("{}").build().attributes;
    assert_eq!(found, [Position { received_at, attributes, ..position }]);
    Ok(())
}

pub(crate) async fn what_was_not_sent_does_not_come_back_as_zero(database: &Database) -> anyhow::Result<()> {
    let mut position = samples::position().device(1).satellites(None).build();
    (position.altitude, position.heading, position.speed) = (None, None, None);
    let mut standing = samples::position().device(2).speed(0.0).satellites(Some(0)).build();
    standing.heading = Heading::from_degrees(0.0);
    store(database, vec![(position, Faults::NONE), (standing, Faults::NONE)]).await?;
    let found = last_of(database, [1, 2]).await?;
    let shown = |position: &Position| (position.heading, position.speed, position.satellites);
    assert_eq!((found[0].altitude, shown(&found[0])), (None, (None, None, None)));
    assert_eq!(shown(&found[1]), (Heading::from_degrees(0.0), Speed::from_kmh(0.0), Some(0)));
    Ok(())
}

pub(crate) async fn a_faulty_one_does_not_take_the_place_of_a_good_one(
    database: &Database,
) -> anyhow::Result<()> {
    store(
        database,
        vec![
            (seen(1, "2026-03-01T10:00:00Z"), Faults::NONE),
            (seen(1, "2026-05-01T10:00:00Z"), Fault::NoFix.into()),
            // In another chunk than both.
            (seen(1, "2026-05-20T10:00:00Z"), Fault::NullIsland.into()),
            (seen(2, "2026-05-01T10:00:00Z"), Fault::NoFix.into()),
        ],
    )
    .await?;
    let found = last_of(database, [1, 2]).await?;
    assert_eq!(times(&found), [("000000000000001".into(), "2026-03-01T10:00:00.000Z".into())]);
    Ok(())
}

pub(crate) async fn what_is_late_is_good_and_does_not_move_the_marker_back(
    database: &Database,
) -> anyhow::Result<()> {
    let doubtful = Faults::from_iter([Fault::Late, Fault::LowQuality, Fault::SpeedMismatch]);
    store(database, vec![(seen(1, "2026-05-01T10:00:00Z"), doubtful)]).await?;
    store(database, vec![(seen(1, "2026-04-01T10:00:00Z"), Faults::NONE)]).await?;
    let found = last_of(database, [1]).await?;
    assert_eq!(times(&found), [("000000000000001".into(), "2026-05-01T10:00:00.000Z".into())]);
    Ok(())
}

pub(crate) async fn a_time_ahead_of_now_is_not_shown_even_if_nobody_marked_it(
    database: &Database,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let at = |moment| (samples::position().device(1).at_moment(moment).build(), Faults::NONE);
    let a_little_ahead = now.plus(Duration::from_secs(10));
    let far_ahead = now.plus(Duration::from_hours(24 * 365));
    store(database, vec![at(now), at(a_little_ahead), at(far_ahead)]).await?;
    let found = last_of(database, [1]).await?;
    assert_eq!(found.iter().map(|position| position.ts).collect::<Vec<_>>(), [a_little_ahead]);
    Ok(())
}

/// It costs the newest 10,000: what was good before those says nothing any more about where the car is.
pub(crate) async fn a_device_without_a_fix_for_long_does_not_cost_all_its_rows(
    database: &Database,
) -> anyhow::Result<()> {
    let start = samples::at("2026-05-01T10:00:00Z");
    let run = |device, faulty| {
        (0..=faulty).map(move |second| {
            let ts = start.plus(Duration::from_secs(second));
            let faults = if second == 0 { Faults::NONE } else { Fault::NoFix.into() };
            (samples::position().device(device).at_moment(ts).build(), faults)
        })
    };
    store(database, run(1, 9_999).collect()).await?;
    store(database, run(2, 10_000).collect()).await?;
    let found = last_of(database, [1, 2]).await?;
    assert_eq!(times(&found), [("000000000000001".into(), start.to_string())]);
    Ok(())
}

pub(crate) async fn thousands_are_told_at_once(database: &Database) -> anyhow::Result<()> {
    let known = (0..3_000).map(|device| (seen(device, "2026-05-01T10:00:00Z"), Faults::NONE)).collect();
    store(database, known).await?;
    assert_eq!(last_of(database, (0..10_000).rev()).await?.len(), 3_000);
    Ok(())
}

/// Positions of a few cars over months, in no order, one for each device and moment.
fn arrivals() -> impl Strategy<Value = BTreeMap<(u64, u64), bool>> {
    prop::collection::btree_map((0_u64..6, 0_u64..3_000), any::<bool>(), 1..100)
}

pub(crate) async fn it_is_what_one_finds_by_looking_at_every_row(database: &Database) -> anyhow::Result<()> {
    let mut runner = TestRunner::deterministic();
    let mut rows: BTreeMap<(u64, u64), bool> = BTreeMap::new();
    for _ in 0..5 {
        let tree = arrivals().new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?;
        let new: Vec<_> = tree.current().into_iter().filter(|(key, _)| !rows.contains_key(key)).collect();
        let start = samples::at("2026-01-01T00:00:00Z");
        let batch = new.iter().map(|((device, hour), faulty)| {
            let ts = start.plus(Duration::from_hours(*hour));
            let faults = if *faulty { Fault::ImplausibleJump.into() } else { Faults::NONE };
            (samples::position().device(*device).at_moment(ts).build(), faults)
        });
        store(database, batch.collect()).await?;
        rows.extend(new);

        let mut newest = BTreeMap::new();
        for ((device, hour), faulty) in &rows {
            if !faulty {
                // By device and hour: a later one takes the place of an earlier one.
                newest.insert(*device, start.plus(Duration::from_hours(*hour)));
            }
        }
        let expected: Vec<_> = newest
            .into_iter()
            .map(|(device, ts)| (samples::device(device).to_string(), ts.to_string()))
            .collect();
        assert_eq!(times(&last_of(database, 0..6).await?), expected);
    }
    Ok(())
}
