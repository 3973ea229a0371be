//! Statements that a session keeps prepared: one whose text depended on the rows would be one more for each number of
//! them, in the memory of every session, until none of them was of use any more.

use std::num::NonZeroU32;

use processor_domain::ports::SystemClock;

use super::*;

/// Lets every session that writes say how many statements it has prepared.
const TELL: &str = "
    CREATE TABLE told (session integer, statements bigint);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO told SELECT pg_backend_pid(), count(*) FROM pg_prepared_statements WHERE NOT from_sql;
        RETURN NULL;
    END $$;
    CREATE TRIGGER tell AFTER INSERT ON positions FOR EACH STATEMENT EXECUTE FUNCTION tell();";

/// Sizes of batches: each of a few, and more than is copied.
fn sizes() -> impl Iterator<Item = u64> {
    (1..60).chain((60..500).step_by(97)).chain((1_000..3_000).step_by(333))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_writes_prepares_no_more_for_batches_of_other_sizes() -> anyhow::Result<()> {
    let one = NonZeroU32::MIN;
    let fixture = Timescale::on(TimescaleServer::start().await?, |settings| settings.writers = one).await?;
    let outside = connect_database(&fixture.url).await?;
    let store = fixture.database.position_store();
    outside.execute_unprepared(TELL).await?;
    let mut told = Vec::new();
    for (second, size) in (0..).zip(sizes()) {
        let batch = grid(0..size, second..second + 1);
        let count = batch.len();
        assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; count]);
        assert_eq!(number(&outside, COPIES).await?, i64::from(size >= 1_000), "{size} rows, by COPY or not");
        assert_eq!(store.commit(&known(&batch)).await?, vec![Verdict::Duplicate; count]);
        assert_eq!(store.commit(&enriched(&batch)).await?, vec![Verdict::Merged; count]);
        told.push(number(&outside, "SELECT max(statements) FROM told").await?);
    }
    assert_eq!(number(&outside, "SELECT count(DISTINCT session) FROM told").await?, 1);
    assert_eq!(told, vec![told[0]; told.len()], "as many after the first sizes as after all");
    assert!(told[0] > 0, "they are counted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_recalls_prepares_no_more_for_other_numbers_of_devices() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let memory = fixture.database.device_memory(Arc::new(SystemClock));
    let last = fixture.database.last_positions();
    fixture.database.position_store().commit(&grid(0..1_000, 0..1)).await?;
    let connection = fixture.database.connection();
    // So that there is one session left to recall with, and to be asked.
    let other = connection.get_postgres_connection_pool().acquire().await?;
    let mut prepared = Vec::new();
    for size in sizes() {
        let devices: Vec<_> = (0..size).map(samples::device).collect();
        let known = usize::try_from(size.min(1_000))?;
        assert_eq!(memory.recall(&devices).await?.len(), known);
        assert_eq!(last.last_positions(&devices).await?.len(), known);
        memory.recall_recent(usize::try_from(size)?).await?;
        prepared.push(number(connection, "SELECT count(*) FROM pg_prepared_statements").await?);
    }
    drop(other);
    // The first question was not prepared before it was asked.
    assert_eq!(
        prepared[1..],
        vec![prepared[1]; prepared.len() - 1],
        "as many after the first sizes as after all"
    );
    assert!(prepared[1] > 1, "they are counted");
    Ok(())
}
