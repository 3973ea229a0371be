//! What only a server has: tables that others made, and outages.

use processor_domain::ports::StoreError;
use processor_domain::samples;
use sea_orm::ConnectionTrait;

use super::{last_of, times};
use crate::databases::{DatabaseFixture, Timescale};

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_that_was_found_are_told_as_far_as_they_are_positions() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    timescale
        .database()
        .connection()
        .execute_unprepared(
            "DROP TABLE positions;
             CREATE TABLE positions (
                 device_id varchar(32), ts timestamptz, latitude float8, longitude float8,
                 altitude float8, angle numeric, speed float8, satellites integer, priority integer,
                 attributes jsonb, faulty boolean, ingested_at timestamptz
             );
             INSERT INTO positions (device_id, ts, latitude, longitude) VALUES
                 ('000000000000003', '2026-05-01T10:00Z', null, null),
                 ('000000000000004', '2026-05-01T10:00Z', 'NaN', 25);
             INSERT INTO positions VALUES
                 ('000000000000001', '2026-05-01T10:00Z', 54, 25, 1e300, 511, -1, 1000, null, null, null, null),
                 ('000000000000002', '2026-05-01T10:00Z', 54, 25, 1.5, 90, 45, 9, 1, '{}', false, '2026-05-01T10:05Z'),
                 ('000000000000002', '2026-05-01T11:00Z', 54, 25, null, null, null, null, 0, '{}', true, null)",
        )
        .await?;
    let found = last_of(timescale.database(), 1..=4).await?;
    let at_ten = |device| (samples::device(device).to_string(), "2026-05-01T10:00:00.000Z".to_owned());
    assert_eq!(times(&found), [at_ten(1), at_ten(2)]);
    assert_eq!(
        (found[0].altitude, found[0].heading, found[0].speed, found[0].satellites),
        (None, None, None, None)
    );
    assert_eq!(found[0].received_at, found[0].ts);
    assert_eq!(found[1].received_at, samples::at("2026-05-01T10:05:00Z"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_is_unavailable_and_a_server_that_is_back_is_asked_again() -> anyhow::Result<()> {
    let timescale = Timescale::start_alone().await?;
    let port = timescale.database().last_positions();
    assert_eq!(port.last_positions(&[samples::device(1)]).await?, []);
    timescale.server.kill().await?;
    let refused = port.last_positions(&[samples::device(1)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    timescale.server.restart().await?;
    assert_eq!(port.last_positions(&[samples::device(1)]).await?, []);
    Ok(())
}
