use anyhow::Context;
use processor_database::Database;
use processor_database::entity::positions::Model;
use processor_domain::ports::Verdict::{self, Duplicate, Merged, Stored};
use processor_domain::{Fault, Faults, Judged, Priority, Timestamp, samples};

use super::{faulty, fresh, suspect};
use crate::databases::rows;

/// Enough rows for the way that is quicker for many.
const MANY: usize = 1_000;

/// `count` rows of as many devices at one moment, each of its own.
fn many(count: u64) -> Vec<Judged> {
    (0..count).map(|device| fresh(samples::position().device(device).build())).collect()
}

async fn commit(database: &Database, batch: &[Judged]) -> anyhow::Result<Vec<Verdict>> {
    Ok(database.position_store().commit(batch).await?)
}

async fn only_row(database: &Database) -> anyhow::Result<Model> {
    let rows = rows(database).await?;
    anyhow::ensure!(rows.len() == 1, "there are {} rows", rows.len());
    rows.into_iter().next().context("no row")
}

fn json(row: &Model) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_str(&row.attributes.0)?)
}

pub(crate) async fn twice_is_once(database: &Database) -> anyhow::Result<()> {
    let batch = many(1_000);
    assert_eq!(commit(database, &batch).await?, vec![Stored; MANY]);
    let first = rows(database).await?;
    for _ in 0..3 {
        assert_eq!(commit(database, &batch).await?, vec![Duplicate; MANY]);
    }
    assert_eq!(rows(database).await?, first);
    assert_eq!(commit(database, &[]).await?, []);
    Ok(())
}

pub(crate) async fn a_batch_known_in_part_stores_what_is_new(database: &Database) -> anyhow::Result<()> {
    let batch = many(90);
    let known: Vec<Judged> = batch.iter().step_by(3).cloned().collect();
    commit(database, &known).await?;
    let expected: Vec<Verdict> =
        (0..90).map(|index| if index % 3 == 0 { Duplicate } else { Stored }).collect();
    assert_eq!(commit(database, &batch).await?, expected, "in the order of the batch");
    assert_eq!(rows(database).await?.len(), 90);
    Ok(())
}

pub(crate) async fn a_row_keeps_all_that_a_position_says(database: &Database) -> anyhow::Result<()> {
    let attributes = r#"{"16":"18446744073709551615","f":-1.5e-7,"t":"é\"\\😀\n","o":{"a":[1,null,true]}}"#;
    let mut full = samples::position().at(-214.748_364_8, 1e-7).attributes(attributes).build();
    full.satellites = Some(255);
    full.priority = Priority::Panic;
    let mut bare = samples::position().device(2).attributes("{}").build();
    (bare.altitude, bare.heading, bare.speed, bare.satellites) = (None, None, None, None);
    let faults = Faults::from_iter([Fault::OutOfRange, Fault::Late]);
    // The same by either way of writing.
    let others = many(1_000).into_iter().skip(10);
    let copied: Vec<Judged> =
        [Judged { faults, ..fresh(full.clone()) }, fresh(bare.clone())].into_iter().chain(others).collect();
    commit(database, &copied).await?;
    let later = |mut judged: Judged| {
        judged.position.ts = judged.position.ts.plus(std::time::Duration::from_secs(1));
        judged
    };
    commit(database, &[later(faulty(full, faults)), later(suspect(bare))]).await?;

    let rows = rows(database).await?;
    let of =
        |device: &str| -> Vec<Model> { rows.iter().filter(|row| row.device_id == device).cloned().collect() };
    for row in of("356307042441013") {
        assert_eq!((row.latitude, row.longitude), (-214.748_364_8, 1e-7));
        assert_eq!((row.altitude, row.angle, row.speed), (Some(111.0), Some(214.0), Some(45.0)));
        assert_eq!((row.satellites, row.priority), (Some(255), 2));
        assert_eq!(json(&row)?, serde_json::from_str::<serde_json::Value>(attributes)?);
        assert_eq!((row.faulty, row.faults), (true, Some(i32::from(faults.bits()))));
        assert!(row.ingested_at.0 > samples::at("2020-01-01T00:00:00Z"), "{:?}", row.ingested_at);
    }
    for row in of("000000000000002") {
        assert_eq!((row.altitude, row.angle, row.speed, row.satellites), (None, None, None, None));
        assert_eq!((row.attributes.0.as_str(), row.faulty, row.faults, row.priority), ("{}", false, None, 0));
    }
    assert_eq!((of("356307042441013").len(), of("000000000000002").len()), (2, 2));
    Ok(())
}

pub(crate) async fn keys_are_told_apart_by_the_microsecond(database: &Database) -> anyhow::Result<()> {
    let start = samples::at("2026-05-01T10:00:00.999998Z").micros();
    let moments: Vec<Timestamp> = (start..start + 40).map(Timestamp::from_micros).collect();
    let batch: Vec<Judged> =
        moments.iter().map(|ts| suspect(samples::position().at_moment(*ts).build())).collect();
    assert_eq!(commit(database, &batch).await?, vec![Stored; 40]);
    assert_eq!(commit(database, &batch).await?, vec![Duplicate; 40]);
    let stored: Vec<Timestamp> = rows(database).await?.iter().map(|row| row.ts.0).collect();
    assert_eq!(stored, moments);
    Ok(())
}

pub(crate) async fn batches_of_any_size_are_stored(database: &Database) -> anyhow::Result<()> {
    let sizes = [0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 100, 257, 1_000, 3_000];
    for (hour, size) in sizes.into_iter().enumerate() {
        for fresh_share in [1, 2, u64::MAX] {
            let second = i64::try_from(hour)? * 3_600 + i64::try_from(fresh_share.min(3))?;
            let ts = Timestamp::from_millis(1_777_000_000_000 + second * 1_000);
            let batch: Vec<Judged> = (0..size)
                .map(|device| {
                    let position = samples::position().device(device).at_moment(ts).build();
                    if device % fresh_share == 0 { fresh(position) } else { suspect(position) }
                })
                .collect();
            let verdicts = commit(database, &batch).await?;
            assert_eq!(verdicts, vec![Stored; batch.len()], "{size} rows");
        }
    }
    assert_eq!(rows(database).await?.len(), 3 * usize::try_from(sizes.iter().sum::<u64>())?);
    Ok(())
}

pub(crate) async fn attributes_are_united_and_the_first_value_stays(
    database: &Database,
) -> anyhow::Result<()> {
    let with = |attributes: &str| [suspect(samples::position().attributes(attributes).build())];
    assert_eq!(commit(database, &with(r#"{"1":1,"o":{"x":1}}"#)).await?, [Stored]);
    assert_eq!(commit(database, &with(r#"{"1":2,"o":{"y":1}}"#)).await?, [Duplicate], "no new name");
    assert_eq!(commit(database, &with(r#"{"1":2,"2":2}"#)).await?, [Merged]);
    assert_eq!(commit(database, &with(r#"{"1":2,"2":2}"#)).await?, [Duplicate]);
    assert_eq!(commit(database, &with("{}")).await?, [Duplicate]);
    let row = only_row(database).await?;
    assert_eq!(json(&row)?, serde_json::json!({"1": 1, "2": 2, "o": {"x": 1}}));
    Ok(())
}

pub(crate) async fn the_higher_priority_stays(database: &Database) -> anyhow::Result<()> {
    let with = |priority| [suspect(samples::position().priority(priority).build())];
    assert_eq!(commit(database, &with(Priority::High)).await?, [Stored]);
    assert_eq!(commit(database, &with(Priority::Low)).await?, [Duplicate]);
    assert_eq!(commit(database, &with(Priority::Panic)).await?, [Merged]);
    assert_eq!(commit(database, &with(Priority::High)).await?, [Duplicate]);
    assert_eq!(only_row(database).await?.priority, 2);
    Ok(())
}

pub(crate) async fn a_good_place_takes_the_place_of_a_faulty_one(database: &Database) -> anyhow::Result<()> {
    let mut nowhere = samples::position().at(0.0, 0.0).satellites(Some(0)).build();
    (nowhere.speed, nowhere.heading) = (None, None);
    let bad = faulty(nowhere, Faults::from_iter([Fault::NoFix, Fault::NullIsland]));
    let mut good = faulty(samples::position().build(), Fault::Late);
    good.position.altitude = None;
    let mut other = suspect(samples::position().at(1.0, 2.0).build());
    other.position.altitude = None;

    assert_eq!(commit(database, std::slice::from_ref(&bad)).await?, [Stored]);
    assert_eq!(commit(database, std::slice::from_ref(&good)).await?, [Merged]);
    assert_eq!(commit(database, &[other, bad]).await?, [Duplicate, Duplicate], "the good one stays");
    let row = only_row(database).await?;
    assert_eq!((row.latitude, row.longitude), (54.714_636_8, 25.303_224_5));
    assert_eq!((row.altitude, row.angle, row.speed), (None, Some(214.0), Some(45.0)));
    assert_eq!((row.satellites, row.faulty), (Some(13), false));
    assert_eq!(row.faults, Some(i32::from(Faults::from(Fault::Late).bits())));
    Ok(())
}

pub(crate) async fn the_first_of_a_batch_wins_and_the_others_are_united_with_it(
    database: &Database,
) -> anyhow::Result<()> {
    let with = |device, attributes: &str| samples::position().device(device).attributes(attributes).build();
    let batch = [
        suspect(with(1, r#"{"a":1}"#)),
        suspect(with(2, r#"{"z":1}"#)),
        suspect(with(1, r#"{"a":2}"#)),
        suspect(with(1, r#"{"b":2}"#)),
        suspect(with(1, r#"{"a":1}"#)),
        suspect(with(1, r#"{"b":3,"c":3}"#)),
        suspect(with(1, r#"{"c":4}"#)),
    ];
    let expected = [Stored, Stored, Duplicate, Merged, Duplicate, Merged, Duplicate];
    assert_eq!(commit(database, &batch).await?, expected);
    let united = serde_json::json!({"a": 1, "b": 2, "c": 3});
    assert_eq!(json(&rows(database).await?[0])?, united);
    assert_eq!(commit(database, &batch).await?, vec![Duplicate; batch.len()]);
    Ok(())
}

pub(crate) async fn the_first_of_a_batch_wins_whatever_the_hints_say(
    database: &Database,
) -> anyhow::Result<()> {
    let mut batch = many(1_000);
    let with = |attributes: &str| samples::position().device(7).attributes(attributes).build();
    batch[7] = suspect(with(r#"{"first":1}"#));
    batch[20] = fresh(with(r#"{"first":2,"second":2}"#));
    let verdicts = commit(database, &batch).await?;
    assert_eq!((&verdicts[7], &verdicts[20]), (&Stored, &Merged));
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Stored).count(), MANY - 1);
    let rows = rows(database).await?;
    let row = rows.iter().find(|row| row.device_id.ends_with("0007")).context("no row")?;
    assert_eq!(json(row)?, serde_json::json!({"first": 1, "second": 2}));
    Ok(())
}

pub(crate) async fn repeats_that_were_called_fresh_are_found_all_the_same(
    database: &Database,
) -> anyhow::Result<()> {
    let mut batch = many(1_000);
    batch.extend(many(1_000));
    let expected: Vec<Verdict> = [vec![Stored; MANY], vec![Duplicate; MANY]].concat();
    assert_eq!(commit(database, &batch).await?, expected);
    // Again and again, also where the store has learnt to be careful.
    for _ in 0..4 {
        assert_eq!(commit(database, &batch).await?, vec![Duplicate; 2 * MANY]);
    }
    assert_eq!(rows(database).await?.len(), MANY);
    Ok(())
}
