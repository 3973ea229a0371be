//! Several writers, and connections that somebody left in the middle of something.

use super::*;

/// The batch in another order, the same one for the same `seed`.
fn shuffled(mut batch: Vec<Judged>, seed: u64) -> Vec<Judged> {
    let mut state = seed;
    for last in (1..batch.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        batch.swap(last, usize::try_from(state >> 33).unwrap_or(0) % (last + 1));
    }
    batch
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_share_keys_store_each_row_once() -> anyhow::Result<()> {
    let writers = std::num::NonZeroU32::new(8).unwrap();
    let fixture =
        Timescale::on(TimescaleServer::start().await?, |settings| settings.writers = writers).await?;
    let store = fixture.database.position_store();
    let tasks: Vec<_> = (0..8)
        .map(|seed| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (mut stored, mut kinds) = (0, Vec::new());
                for round in 0..6 {
                    // Half by the one way of writing, half by the other, in eight orders.
                    let mut batch = grid(0..600, round..round + 3);
                    for judged in batch.iter_mut().skip(1_000) {
                        *judged = suspect(judged.position.clone());
                    }
                    let (verdicts, met) = commit_until_done(&*store, &shuffled(batch, seed)).await?;
                    stored += verdicts.iter().filter(|verdict| **verdict == Verdict::Stored).count();
                    assert!(verdicts.iter().all(|verdict| !matches!(verdict, Verdict::Refused(_))));
                    kinds.extend(met);
                }
                anyhow::Ok((stored, kinds))
            })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        let (count, kinds) = task.await??;
        stored += count;
        for kind in kinds {
            assert!([StoreFailure::Deadlock, StoreFailure::LockTimeout].contains(&kind), "{kind}");
        }
    }
    let rows = rows(&fixture.database).await?;
    assert_eq!(rows.len(), 600 * 8);
    assert_eq!(stored, rows.len(), "each row was stored by one of them");
    Ok(())
}

/// Polls a future so many times, then drops it.
async fn dropped_after<F: Future>(polls: usize, future: F) {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        match future.as_mut().poll(context) {
            std::task::Poll::Ready(_) => std::task::Poll::Ready(()),
            std::task::Poll::Pending => std::task::Poll::Pending,
        }
    })
    .await;
}

const OPEN_TRANSACTIONS: &str = "SELECT count(*) FROM pg_stat_activity \
     WHERE datname = current_database() AND state LIKE 'idle in transaction%'";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_dropped_spoils_none_that_follows() -> anyhow::Result<()> {
    let fixture = Timescale::start().await?;
    let outside = connect_database(&fixture.url).await?;
    let store = fixture.database.position_store();
    let mut committed = 0;
    for polls in 0..12 {
        // Fresh ones alone are copied without a transaction around them, mixed ones within one.
        for mixed in [false, true] {
            let second = 2 * u64::try_from(polls)? + u64::from(mixed);
            let mut dropped = grid(1_000..2_000, second..second + 1);
            let mut batch = grid(0..1_000, second..second + 1);
            if mixed {
                for batch in [&mut dropped, &mut batch] {
                    batch[999] = suspect(batch[999].position.clone());
                }
            }
            dropped_after(polls, store.commit(&dropped)).await;
            assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; 1_000]);
            committed += 1_000;
            let seen = number(&outside, "SELECT count(*) FROM positions WHERE device_id < '000000000001000'");
            assert_eq!(seen.await?, committed, "what was committed is there for everybody");
        }
    }
    eventually(Duration::from_secs(10), "no transaction is left open", async || {
        match number(&outside, OPEN_TRANSACTIONS).await {
            Ok(0) => Ok(()),
            seen => Err(format!("{seen:?}")),
        }
    })
    .await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_begin_that_was_dropped_does_not_swallow_later_writes() -> anyhow::Result<()> {
    let server = TimescaleServer::start().await?;
    let url = server.create_database().await?;
    let outside = connect_database(&url).await?;
    outside.execute_unprepared("CREATE TABLE notes (note integer)").await?;
    let proxy = Proxy::to(&url)?;
    let database = Database::connect(DatabaseSettings::of(proxy.url())).await?;
    let connection = database.connection();
    let pool = connection.get_postgres_connection_pool();
    // So that the write meets the connection that was left behind, and not the other one.
    let other = pool.acquire().await?;
    for note in 0..10 {
        {
            let mut pooled = pool.acquire().await?;
            // Once, so that BEGIN is on its way and its answer is not.
            proxy.delay(Duration::from_millis(50));
            let mut begin = pin!(pooled.begin());
            let first = begin.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(first.is_pending(), "the BEGIN was dropped halfway");
        }
        proxy.delay(Duration::ZERO);
        connection.execute_unprepared(&format!("INSERT INTO notes VALUES ({note})")).await?;
        assert_eq!(number(&outside, "SELECT count(*) FROM notes").await?, i64::from(note) + 1);
    }
    drop(other);
    Ok(())
}
