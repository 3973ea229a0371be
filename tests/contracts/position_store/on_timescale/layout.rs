//! What the database need not do because it is done already. Nothing but speed hangs on it, so nothing else would
//! notice.

use processor_codec::{Limits, RecordCodec};
use processor_domain::Record;
use sea_orm::sqlx;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_device_in_a_batch_lie_together_however_they_came() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let batch = grid(0..100, 0..50);
    fixture.database.position_store().commit(&batch).await?;
    let pool = fixture.database.connection().get_postgres_connection_pool();
    let lying: Vec<String> =
        sqlx::query_scalar("SELECT device_id FROM positions ORDER BY tableoid, ctid").fetch_all(pool).await?;
    let mut expected: Vec<_> = batch.iter().map(|row| row.position.device_id.to_string()).collect();
    assert_ne!(lying, expected, "they came in the order of time");
    expected.sort();
    assert_eq!(lying, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_come_in_the_order_in_which_jsonb_keeps_them() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let pool = fixture.database.connection().get_postgres_connection_pool();
    let now = samples::at("2026-05-01T10:00:00Z");
    for attributes in [
        r#"{"239":1,"66":2,"14":3,"78":4,"16":5,"9":6,"1000":7,"01":8}"#,
        r#"{"é":1,"e":2,"ee":3,"E":4,"zz":5,"\u0039":6,"a\"b":7,"a\\b":8,"\t":9,"":10}"#,
        r#"{"b":1,"a":2,"b":3,"aa":4,"a":5}"#,
        r#"{"b":{"__bigint":"5"},"😀":[1],"aaaa":"x","a":1.50}"#,
    ] {
        let record = format!(
            r#"{{"device_id":"1","timestamp":"{now}","latitude":1,"longitude":2,"attributes":{attributes}}}"#
        );
        let Record::Position(position) =
            RecordCodec::new(Limits::default()).decode(record.as_bytes(), now, now)
        else {
            anyhow::bail!("{attributes} could not be read");
        };
        let names: Vec<String> = sqlx::query_scalar("SELECT json_object_keys($1::text::json)")
            .bind(position.attributes.as_json())
            .fetch_all(pool)
            .await?;
        let kept: Vec<String> = sqlx::query_scalar("SELECT jsonb_object_keys($1::text::jsonb)")
            .bind(attributes)
            .fetch_all(pool)
            .await?;
        assert_eq!(names, kept, "{attributes}");
    }
    Ok(())
}
