//! A server that does only so much for one statement, as TimescaleDB does with rows of compressed chunks.

use super::*;

/// What TimescaleDB says when a statement would take more rows out of a compressed chunk than are allowed, said of
/// rows that are written.
const AT_MOST: &str = "
    CREATE FUNCTION begin_to_count() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('test.written', '0', true);
        RETURN NULL;
    END $$;
    CREATE FUNCTION count_and_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE written integer := current_setting('test.written')::integer + 1;
    BEGIN
        IF written > (SELECT rows FROM at_most) THEN
            RAISE EXCEPTION 'tuple decompression limit exceeded by operation' USING ERRCODE = '53400';
        END IF;
        PERFORM set_config('test.written', written::text, true);
        RETURN NEW;
    END $$;
    CREATE TABLE at_most (rows integer);
    INSERT INTO at_most VALUES (1000000);
    CREATE TRIGGER begin_to_count BEFORE INSERT ON positions FOR EACH STATEMENT EXECUTE FUNCTION begin_to_count();
    CREATE TRIGGER count_and_refuse BEFORE INSERT ON positions FOR EACH ROW EXECUTE FUNCTION count_and_refuse();";

async fn allow(fixture: &Timescale, rows: usize) -> anyhow::Result<()> {
    fixture.database.connection().execute_unprepared(&format!("UPDATE at_most SET rows = {rows}")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_one_statement_goes_in_parts() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let store = fixture.database.position_store();
    fixture.database.connection().execute_unprepared(AT_MOST).await?;
    let tried = [(7, 100), (7, 2_000), (1, 100), (99, 100), (999, 1_000)];
    for (second, (most, size)) in (0..).zip(tried) {
        allow(&fixture, most).await?;
        let batch = grid(0..size, second..second + 1);
        let count = batch.len();
        assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; count], "{count}, {most} at a time");
        assert_eq!(store.commit(&known(&batch)).await?, vec![Verdict::Duplicate; count]);
        assert_eq!(store.commit(&enriched(&batch)).await?, vec![Verdict::Merged; count]);
    }
    assert_eq!(rows(&fixture.database).await?.len(), 3_300);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_is_told_apart_among_parts() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let store = fixture.database.position_store();
    fixture.database.connection().execute_unprepared(AT_MOST).await?;
    allow(&fixture, 9).await?;
    let mut batch = grid(0..200, 0..1);
    batch[150] = suspect(samples::position().device(150).attributes(r#"{"a":\u0000"#).build());
    let verdicts = store.commit(&batch).await?;
    for (index, verdict) in verdicts.iter().enumerate() {
        assert_eq!(matches!(verdict, Verdict::Refused(_)), index == 150, "{index}: {verdict:?}");
    }
    assert_eq!(rows(&fixture.database).await?.len(), 199);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_no_row_keeps_is_waited_for_and_refuses_none() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let store = fixture.database.position_store();
    fixture.database.connection().execute_unprepared(AT_MOST).await?;
    for (size, second, there) in [(1, 0, 0), (1_000, 1, 1)] {
        allow(&fixture, 0).await?;
        let batch = grid(0..size, second..second + 1);
        assert_eq!(kind_of_failure(&*store, &batch).await, Some(StoreFailure::Limit), "{size} rows");
        assert_eq!(rows(&fixture.database).await?.len(), there, "whole or not at all");
        allow(&fixture, 1_000_000).await?;
        assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; batch.len()]);
    }
    Ok(())
}
