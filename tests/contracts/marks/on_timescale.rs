//! What only a server has: others who write the same rows, and outages.

use std::time::Duration;

use processor_domain::ports::{MarkError, StoreError, Verdict};
use processor_domain::{Faults, Judged, Novelty, Ruling, Timestamp};
use processor_tests::{connect_database, eventually};
use sea_orm::ConnectionTrait;
use sea_orm::TransactionTrait;

use super::{at, faulty, mark, new_mark, store_good};
use crate::databases::{DatabaseFixture, Timescale, number};

const WAITING: &str = "SELECT count(*) FROM pg_stat_activity \
     WHERE datname = current_database() AND wait_event_type = 'Lock'";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_has_in_hand_is_waited_for_without_holding_others_up() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    let database = timescale.database();
    store_good(database, 1, 0..10).await?;
    let other = database.connection().begin().await?;
    let hold = "SELECT 1 FROM positions WHERE ts = '2026-05-01T10:00:05Z' FOR UPDATE";
    other.execute_unprepared(hold).await?;
    let marking = tokio::spawn({
        let port = database.marks();
        async move { port.mark(&new_mark(1, 0, 10, Ruling::Faulty)).await }
    });
    let outside = connect_database(&timescale.url).await?;
    eventually(Duration::from_secs(20), "somebody waits for the row", async || {
        match number(&outside, WAITING).await {
            Ok(waiting) if waiting > 0 => Ok(()),
            seen => Err(format!("{seen:?}")),
        }
    })
    .await;
    // The one who holds a row asks for the ones before it, which would close a circle: whatever is done first,
    // nobody is told of a deadlock.
    other.execute_unprepared("UPDATE positions SET priority = 1 WHERE ts < '2026-05-01T10:00:05Z'").await?;
    other.commit().await?;
    assert_eq!(marking.await??.positions, 10);
    assert_eq!(faulty(database, 1).await?.len(), 10);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_who_send_the_same_again_and_marks_do_not_fail_for_each_other() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    let database = timescale.database();
    store_good(database, 1, 0..2_000).await?;
    let writers: Vec<_> = (0..4_u64)
        .map(|writer| {
            let store = database.position_store();
            tokio::spawn(async move {
                for round in 0..10_u64 {
                    let name = format!("{{\"{writer}-{round}\":1}}");
                    let mut batch: Vec<Judged> = (0..2_000)
                        .map(|number| {
                            let mut position = at(1, number);
                            position.attributes =
                                processor_domain::Attributes::from_canonical_json(name.clone());
                            Judged { position, faults: Faults::NONE, novelty: Novelty::Suspect }
                        })
                        .collect();
                    if round % 2 == 0 {
                        batch.reverse();
                    }
                    let verdicts = store.commit(&batch).await?;
                    anyhow::ensure!(verdicts.iter().all(|verdict| *verdict == Verdict::Merged));
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for round in 0..10_u64 {
        let ruling = if round % 2 == 0 { Ruling::Faulty } else { Ruling::Good };
        mark(database, &new_mark(1, 100, 1_900, ruling)).await?;
    }
    for writer in writers {
        writer.await??;
    }
    mark(database, &new_mark(1, 100, 1_900, Ruling::Faulty)).await?;
    assert_eq!(faulty(database, 1).await?.len(), 1_800);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_many_at_once_become_visible_in_their_order() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    let port = timescale.database().marks();
    let makers: Vec<_> = (0..4)
        .map(|device| {
            let port = timescale.database().marks();
            tokio::spawn(async move {
                for number in 0..10 {
                    port.mark(&new_mark(device, number, number + 1, Ruling::Faulty)).await?;
                }
                Ok::<_, MarkError>(())
            })
        })
        .collect();
    // One that is passed over would never be seen.
    let seeing = async {
        let mut seen = Vec::new();
        let mut revision = processor_domain::Revision::default();
        while seen.len() < 40 {
            let changes = port.changes(revision).await?;
            revision = changes.revision;
            seen.extend(changes.marks.into_iter().map(|mark| mark.id));
        }
        Ok::<_, StoreError>(seen)
    };
    let mut seen = tokio::time::timeout(Duration::from_secs(30), seeing).await??;
    for maker in makers {
        maker.await??;
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 40);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_is_unavailable_and_a_server_that_is_back_is_asked_again() -> anyhow::Result<()> {
    let timescale = Timescale::start_alone().await?;
    let database = timescale.database();
    timescale.server.kill().await?;
    let refused = mark(database, &new_mark(1, 0, 1, Ruling::Faulty)).await;
    assert!(matches!(refused, Err(MarkError::Store(StoreError::Unavailable { .. }))), "{refused:?}");
    let refused = database.marks().changes(processor_domain::Revision::default()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    timescale.server.restart().await?;
    let made = mark(database, &new_mark(1, 0, 1, Ruling::Faulty)).await?.mark;
    assert!(made.at > Timestamp::default());
    Ok(())
}

/// Lets a session that marks say how it planned what it did before.
const TELL: &str = "
    CREATE TABLE told (generic bigint, custom bigint);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO told SELECT generic_plans, custom_plans FROM pg_prepared_statements
        WHERE statement LIKE 'UPDATE positions %';
        RETURN NULL;
    END $$;
    CREATE TRIGGER tell AFTER INSERT ON marks FOR EACH STATEMENT EXECUTE FUNCTION tell();";

/// A plan for any device would have TimescaleDB take whole compressed chunks apart, for what is not known when it is made
/// leaves nothing out.
#[tokio::test(flavor = "multi_thread")]
async fn rows_to_be_marked_are_looked_for_by_a_plan_for_their_device() -> anyhow::Result<()> {
    let timescale = Timescale::start().await?;
    let database = timescale.database();
    store_good(database, 1, 0..100).await?;
    let outside = connect_database(&timescale.url).await?;
    outside.execute_unprepared(TELL).await?;
    for second in 0..20 {
        mark(database, &new_mark(1, second, second + 1, Ruling::Faulty)).await?;
    }
    assert!(number(&outside, "SELECT max(custom) FROM told").await? > 5, "often enough for a plan for any");
    assert_eq!(number(&outside, "SELECT max(generic) FROM told").await?, 0);
    Ok(())
}
