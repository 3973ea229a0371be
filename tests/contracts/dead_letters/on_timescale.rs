use std::time::Duration;

use processor_codec::RecordCodec;
use processor_domain::{DeadLetter, DeadLetterReason, DeadPayload, EntryId};
use processor_tests::{TimescaleServer, connect_database, eventually};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};

use super::in_table::InTable;
use super::{INSTANCE, dead_letters_contract};
use crate::databases::Timescale;

dead_letters_contract!(InTable<Timescale>);

/// It falls silent while it works on a statement: nothing but the deadline ends the wait then.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_does_not_hold_a_letter_for_ever() -> anyhow::Result<()> {
    let fixture = Timescale::on(TimescaleServer::start_alone().await?, |settings| {
        (settings.acquire_timeout, settings.statement_timeout) =
            (Duration::from_secs(1), Duration::from_secs(4));
        settings.lock_timeout = Duration::from_mins(1);
    })
    .await?;
    let holder = connect_database(&fixture.url).await?.begin().await?;
    // Within a transaction the server says the same of others again and again.
    let watcher = connect_database(&fixture.url).await?;
    holder.execute_unprepared("LOCK TABLE dead_letters IN ACCESS EXCLUSIVE MODE").await?;
    let letters = fixture.database.dead_letters(INSTANCE, RecordCodec::encode);
    let keeping = tokio::spawn(async move {
        let letter = DeadLetter {
            stream: "telemetry".into(),
            entry_id: EntryId { millis: 1, sequence: 1 },
            reason: DeadLetterReason::NotJson,
            detail: "not JSON".into(),
            payload: DeadPayload::Raw(b"?".as_slice().into()),
            deliveries: 1,
        };
        letters.keep(&[letter]).await
    });
    eventually(Duration::from_secs(20), "the letter waits for the lock", async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let row = watcher.query_one_raw(Statement::from_string(DbBackend::Postgres, waiting)).await?;
        let waiting: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        if waiting > 0 { Ok(()) } else { Err(anyhow::anyhow!("nobody waits")) }
    })
    .await;
    fixture.server.pause().await?;
    let kept = tokio::time::timeout(Duration::from_mins(1), keeping).await??;
    assert!(kept.is_err(), "a letter was kept by nobody");
    fixture.server.unpause().await?;
    Ok(())
}
