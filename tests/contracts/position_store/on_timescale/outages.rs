//! A server that goes away.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_did_not_confirm_is_written_again() -> anyhow::Result<()> {
    let fixture = Timescale::start_alone().await?;
    let store = fixture.database.position_store();
    let before = grid(0..1_000, 0..1);
    assert_eq!(store.commit(&before).await?, vec![Verdict::Stored; 1_000]);
    assert!(store.ping().await.is_ok());
    fixture.server.kill().await?;
    let batch = grid(0..1_000, 0..2);
    assert!(kind_of_failure(&*store, &batch).await.is_some());
    assert!(store.ping().await.is_err());
    fixture.server.restart().await?;
    let (verdicts, _) = commit_until_done(&*store, &batch).await?;
    assert_eq!(verdicts, [vec![Verdict::Duplicate; 1_000], vec![Verdict::Stored; 1_000]].concat());
    assert_eq!(rows(&fixture.database).await?.len(), 2_000);
    assert!(store.ping().await.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_does_not_hold_a_commit_for_ever() -> anyhow::Result<()> {
    let server = TimescaleServer::start_alone().await?;
    let fixture = Timescale::on(server, |settings| {
        settings.acquire_timeout = Duration::from_millis(500);
        settings.statement_timeout = Duration::from_millis(500);
    })
    .await?;
    let store = fixture.database.position_store();
    let batch = grid(0..1_000, 0..1);
    store.commit(&batch).await?;
    fixture.server.pause().await?;
    let began = std::time::Instant::now();
    for _ in 0..3 {
        assert!(kind_of_failure(&*store, &batch).await.is_some());
    }
    assert!(store.ping().await.is_err());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    fixture.server.unpause().await?;
    let (verdicts, _) = commit_until_done(&*store, &batch).await?;
    assert_eq!(verdicts, vec![Verdict::Duplicate; 1_000]);
    assert_eq!(rows(&fixture.database).await?.len(), 1_000);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_holds_is_not_waited_for_without_end() -> anyhow::Result<()> {
    let fixture = Timescale::on(TimescaleServer::start().await?, |settings| {
        settings.lock_timeout = Duration::from_millis(200);
    })
    .await?;
    let store = fixture.database.position_store();
    let outside = connect_database(&fixture.url).await?;
    let batch = grid(0..1_000, 0..1);
    let holder = sea_orm::TransactionTrait::begin(&outside).await?;
    holder.execute_unprepared("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE").await?;
    assert_eq!(kind_of_failure(&*store, &batch).await, Some(StoreFailure::LockTimeout));
    holder.rollback().await?;
    assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; 1_000]);
    Ok(())
}

/// So is a chunk locked while TimescaleDB compresses it: it can be read and not be written.
#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_is_locked_holds_back_what_belongs_into_it_and_nothing_else() -> anyhow::Result<()> {
    let fixture = Timescale::on(TimescaleServer::start().await?, |settings| {
        settings.lock_timeout = Duration::from_millis(200);
    })
    .await?;
    let store = fixture.database.position_store();
    let outside = connect_database(&fixture.url).await?;
    let month = 30 * 24 * 3_600;
    let (late, on_time) = (grid(0..100, 0..1), grid(0..100, month..month + 1));
    store.commit(&late[..1]).await?;
    let holder = sea_orm::TransactionTrait::begin(&outside).await?;
    holder
        .execute_unprepared(
            "DO $$ BEGIN EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', show_chunks('positions')); END $$",
        )
        .await?;
    for batch in [late.clone(), [on_time.clone(), late.clone()].concat()] {
        assert_eq!(kind_of_failure(&*store, &batch).await, Some(StoreFailure::LockTimeout));
    }
    assert_eq!(store.commit(&on_time).await?, vec![Verdict::Stored; 100]);
    holder.rollback().await?;
    let expected = [vec![Verdict::Duplicate], vec![Verdict::Stored; 99]].concat();
    assert_eq!(store.commit(&late).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_reads_refuses_no_row() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let outside = connect_database(&fixture.url).await?;
    let name = fixture.url.rsplit('/').next().unwrap_or_default();
    let batch = grid(0..1_000, 0..1);
    outside
        .execute_unprepared(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"))
        .await?;
    let store =
        processor_database::Database::connect(DatabaseSettings::of(&fixture.url)).await?.position_store();
    assert_eq!(kind_of_failure(&*store, &batch).await, Some(StoreFailure::ReadOnly));
    outside
        .execute_unprepared(&format!(
            "BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"
        ))
        .await?;
    let (verdicts, _) = commit_until_done(&*store, &batch).await?;
    assert_eq!(verdicts, vec![Verdict::Stored; 1_000]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_killed_are_replaced_and_never_more_than_allowed() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let outside = connect_database(&fixture.url).await?;
    let store = fixture.database.position_store();
    let ours = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'processor'";
    for second in 0..20 {
        let batch = grid(0..1_000, second..second + 1);
        let kill = number(&outside, &format!("SELECT count(pg_terminate_backend(pid)) {ours}")).await?;
        assert!(kill <= 6, "three writers, two readers, one for health: {kill}");
        let (verdicts, _) = commit_until_done(&*store, &batch).await?;
        assert_eq!(verdicts.len(), 1_000);
        store.ping().await.ok();
    }
    assert_eq!(rows(&fixture.database).await?.len(), 20_000);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_opened_ahead_and_if_they_cannot_be_they_are_when_they_are_needed()
-> anyhow::Result<()> {
    let server = TimescaleServer::start_alone().await?;
    let fixture =
        Timescale::on(server, |settings| settings.acquire_timeout = Duration::from_millis(500)).await?;
    fixture.server.kill().await?;
    assert!(fixture.database.open().await.is_err());
    fixture.server.restart().await?;
    let store = fixture.database.position_store();
    let batch = grid(0..1_000, 0..1);
    assert_eq!(commit_until_done(&*store, &batch).await?.0, vec![Verdict::Stored; 1_000]);

    fixture.database.open().await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let ours = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND application_name = 'processor'";
    let outside = connect_database(&fixture.url).await?;
    assert!(number(&outside, ours).await? >= 5, "three writers and two readers");
    Ok(())
}
