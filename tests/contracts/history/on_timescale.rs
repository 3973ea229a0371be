//! What only a server has: tables that others made, plans, and outages.

use std::num::NonZeroUsize;

use processor_domain::ports::StoreError;
use processor_domain::{Faults, Wanted, samples};
use sea_orm::ConnectionTrait;

use super::{everything_of, read_all, store};
use crate::databases::{DatabaseFixture, Timescale};

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_that_was_found_come_as_far_as_they_are_positions() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    timescale
        .database()
        .connection()
        .execute_unprepared(
            "DROP TABLE positions;
             CREATE TABLE positions (
                 device_id varchar(32), ts timestamptz, latitude float8, longitude float8,
                 altitude float8, angle numeric, speed float8, satellites integer, priority integer,
                 attributes jsonb, faulty boolean, ingested_at timestamptz, faults integer
             );
             INSERT INTO positions (device_id, ts, latitude, longitude) VALUES
                 ('000000000000001', '2026-05-01T10:00Z', null, null),
                 ('000000000000001', '2026-05-01T10:01Z', 'NaN', 25);
             INSERT INTO positions VALUES
                 ('000000000000001', '2026-05-01T10:02Z', 54, 25, 1e300, 511, -1, 1000, null, null, null, null, null),
                 ('000000000000001', '2026-05-01T10:03Z', 54, 25, 1.5, 90, 45, 9, 1, '{}', true, null, 1048577)",
        )
        .await?;
    let mut query = everything_of([1]);
    query.attributes = true;
    for limit in [1, 10] {
        let found = read_all(timescale.database(), &query, limit).await?;
        let seen: Vec<_> = found.iter().map(|kept| (kept.position.ts, kept.faulty)).collect();
        let at = samples::at;
        assert_eq!(seen, [(at("2026-05-01T10:02:00Z"), false), (at("2026-05-01T10:03:00Z"), true)]);
        assert_eq!(found[1].faults, Faults::from_bits(1), "bits that nobody knows are left out");
    }
    query.wanted = Wanted::Faulty;
    assert_eq!(read_all(timescale.database(), &query, 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_is_unavailable_and_a_server_that_is_back_is_asked_again() -> anyhow::Result<()> {
    let timescale = Timescale::start_alone().await?;
    store(timescale.database(), vec![(samples::position().device(1).build(), Faults::NONE)]).await?;
    let history = timescale.database().history();
    let query = everything_of([1]);
    assert_eq!(history.page(&query, None, NonZeroUsize::MIN).await?.positions.len(), 1);
    timescale.server.kill().await?;
    let refused = history.page(&query, None, NonZeroUsize::MIN).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    timescale.server.restart().await?;
    assert_eq!(history.page(&query, None, NonZeroUsize::MIN).await?.positions.len(), 1);
    Ok(())
}
