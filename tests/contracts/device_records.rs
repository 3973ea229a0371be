//! The promises of [`DeviceRecords`](processor_domain::ports::DeviceRecords), for every implementation.

use std::time::Duration;

use processor_database::Database;
use processor_domain::{Fault, Faults, Judged, Novelty, samples};

use crate::databases::{Sqlite, Timescale};

/// Stores a record of the device with this number for each of these seconds, the even ones without a fix.
async fn store(database: &Database, device: u64, seconds: &[u64]) -> anyhow::Result<()> {
    let judged = |second: &u64| {
        let faults = if second.is_multiple_of(2) { Fault::NoFix.into() } else { Faults::NONE };
        let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(*second));
        let position = samples::position().device(device).at_moment(ts).build();
        Judged { position, faults, novelty: Novelty::Suspect }
    };
    database.position_store().commit(&seconds.iter().map(judged).collect::<Vec<_>>()).await?;
    Ok(())
}

async fn the_newest_come_first_whatever_is_wrong_with_them(database: &Database) -> anyhow::Result<()> {
    store(database, 1, &[5, 1, 4, 2, 3]).await?;
    store(database, 2, &[9]).await?;
    let records = database.device_records();
    let newest = records.newest(&samples::device(1), 3).await?;
    let ten = samples::at("2026-05-01T10:00:00Z");
    let seconds: Vec<_> = newest.iter().map(|record| record.ts.since(ten).as_secs()).collect();
    assert_eq!(seconds, [5, 4, 3]);
    assert_eq!(newest[0].faults, Faults::NONE);
    assert_eq!((newest[1].faults, newest[1].faulty), (Fault::NoFix.into(), true));
    assert_eq!(newest[0].coordinates, Some(samples::position().build().coordinates));
    assert!(newest.iter().all(|record| record.written_at.is_some_and(|written_at| written_at > record.ts)));
    assert_eq!(records.newest(&samples::device(1), 100).await?.len(), 5);
    Ok(())
}

async fn of_a_device_that_was_never_heard_of_there_is_nothing(database: &Database) -> anyhow::Result<()> {
    let records = database.device_records();
    assert_eq!(records.newest(&samples::device(1), 3).await?, []);
    assert_eq!(records.count_since(&samples::device(1), samples::at("2000-01-01T00:00:00Z"), 10).await?, 0);
    Ok(())
}

async fn those_since_a_moment_are_counted_up_to_a_limit(database: &Database) -> anyhow::Result<()> {
    store(database, 1, &[1, 2, 3, 4, 5]).await?;
    store(database, 2, &[4]).await?;
    let records = database.device_records();
    let count = async |second, most| {
        let since = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
        records.count_since(&samples::device(1), since, most).await
    };
    assert_eq!(count(3, 100).await?, 3);
    assert_eq!(count(3, 2).await?, 2);
    assert_eq!(count(6, 100).await?, 0);
    Ok(())
}

laws_hold_on_databases! { timescale: Timescale, sqlite: Sqlite => [
    super::the_newest_come_first_whatever_is_wrong_with_them,
    super::of_a_device_that_was_never_heard_of_there_is_nothing,
    super::those_since_a_moment_are_counted_up_to_a_limit,
] }
