//! Late positions in compressed chunks, on the edition of TimescaleDB that compresses: `scripts/compression`. It is not
//! among the tests of every run, since that edition is not in Debian.

mod compressed;

use std::time::Duration;

use processor_domain::ports::{PositionStore, StoreError, Verdict};
use processor_domain::{Faults, Judged, Novelty, Ruling, samples};

use crate::compressed::Compressed;

/// As many positions as there are seconds in `seconds`, of as many devices as there are in `devices`: all as if they
/// were new.
fn grid(devices: std::ops::Range<u64>, seconds: std::ops::Range<u64>) -> Vec<Judged> {
    let start = samples::at("2026-05-01T10:00:00Z");
    let keys = seconds.flat_map(|second| devices.clone().map(move |device| (device, second)));
    keys.map(|(device, second)| {
        let ts = start.plus(Duration::from_secs(second));
        let position = samples::position().device(device).at_moment(ts).build();
        Judged { position, faults: Faults::NONE, novelty: Novelty::Fresh }
    })
    .collect()
}

/// The same with an attribute that it does not have, as what is likely to be there already.
fn enriched(judged: &Judged) -> Judged {
    let mut position = judged.position.clone();
    position.attributes = samples::position().attributes(r#"{"new":1}"#).build().attributes;
    Judged { position, novelty: Novelty::Suspect, ..judged.clone() }
}

const UNITED: &str = "SELECT count(*) FROM positions WHERE attributes ? 'new'";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_and_what_is_new_are_told_apart() -> anyhow::Result<()> {
    let compressed = Compressed::start().await?;
    let store = compressed.database.position_store();
    // Few are inserted, many are copied.
    for (second, size) in [(0, 100), (1, 2_000)] {
        let batch = grid(0..size, second..second + 1);
        assert_eq!(store.commit(&batch[..1]).await?, [Verdict::Stored]);
        compressed.compress().await?;
        let verdicts = store.commit(&batch).await?;
        assert_eq!(verdicts[0], Verdict::Duplicate);
        assert_eq!(verdicts[1..], vec![Verdict::Stored; batch.len() - 1], "{size} rows");
        compressed.compress().await?;
        assert_eq!(store.commit(&batch).await?, vec![Verdict::Duplicate; batch.len()], "{size} rows");
    }
    // One batch was not copied after one that could not be; the next is.
    let batch = grid(0..2_000, 2..3);
    assert_eq!(store.commit(&batch).await?, vec![Verdict::Stored; batch.len()]);
    assert_eq!(compressed.number("SELECT count(*) FROM positions").await?, 4_100);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_united_with_what_is_there() -> anyhow::Result<()> {
    let compressed = Compressed::start().await?;
    let store = compressed.database.position_store();
    let batch = grid(0..10, 0..300);
    store.commit(&batch).await?;
    compressed.compress().await?;
    let mut again = batch.clone();
    for index in (0..again.len()).step_by(50) {
        again[index] = enriched(&again[index]);
    }
    for (index, verdict) in store.commit(&again).await?.into_iter().enumerate() {
        let expected = if index % 50 == 0 { Verdict::Merged } else { Verdict::Duplicate };
        assert_eq!(verdict, expected, "{index}");
    }
    assert_eq!(compressed.number(UNITED).await?, 60);
    assert_eq!(compressed.number("SELECT count(*) FROM positions").await?, 3_000);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_statement_may_decompress_goes_in_parts() -> anyhow::Result<()> {
    let compressed = Compressed::start_with_limit(1_500).await?;
    let store = compressed.database.position_store();
    let batch = grid(0..20, 0..1_000);
    for part in batch.chunks(5_000) {
        store.commit(part).await?;
    }
    compressed.compress().await?;
    compressed.assert_limit().await?;
    let again: Vec<Judged> = batch[..20].iter().map(enriched).collect();
    assert_eq!(store.commit(&again).await?, vec![Verdict::Merged; 20]);
    assert_eq!(compressed.number(UNITED).await?, 20);
    assert_eq!(compressed.number("SELECT count(*) FROM positions").await?, 20_000);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_is_compressed_meanwhile_has_each_row_once() -> anyhow::Result<()> {
    let compressed = Compressed::start().await?;
    let store = compressed.database.position_store();
    store.commit(&grid(0..100, 0..10)).await?;
    let writing = async {
        for second in 0..60 {
            let mut batch = grid(0..100, second..second + 20);
            for index in (0..batch.len()).step_by(40) {
                batch[index] = enriched(&batch[index]);
            }
            let verdicts = commit_until_done(&*store, &batch).await?;
            assert!(verdicts.iter().all(|verdict| !matches!(verdict, Verdict::Refused(_))), "{verdicts:?}");
        }
        anyhow::Ok(())
    };
    let compressing = async {
        loop {
            // A deadlock or a lock that was not had is no matter.
            compressed.compress().await.ok();
            compressed.decompress().await.ok();
        }
    };
    tokio::select! {
        written = writing => written?,
        () = compressing => {}
    }
    assert_eq!(compressed.number("SELECT count(*) FROM positions").await?, 100 * 79);
    let keys = "SELECT count(*) FROM (SELECT DISTINCT device_id, ts FROM positions) keys";
    assert_eq!(compressed.number(keys).await?, 100 * 79);
    Ok(())
}

/// As a caller has to: again and again until it is done.
async fn commit_until_done(store: &dyn PositionStore, batch: &[Judged]) -> Result<Vec<Verdict>, StoreError> {
    let mut attempts = 0;
    loop {
        match store.commit(batch).await {
            Err(error) if attempts < 200 => {
                eprintln!("again: {error}");
                attempts += 1;
            }
            result => return result,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_changes_no_more_than_it_speaks_of() -> anyhow::Result<()> {
    let compressed = Compressed::start_with_limit(1_500).await?;
    let store = compressed.database.position_store();
    let batch = grid(0..20, 0..1_000);
    for part in batch.chunks(5_000) {
        store.commit(part).await?;
    }
    let start = samples::at("2026-05-01T10:00:00Z");
    let said = samples::new_mark(3, start, start.plus(Duration::from_hours(1)), Ruling::Faulty);
    let marks = compressed.database.marks();
    // So often that a plan for any device would have been made.
    for _ in 0..8 {
        compressed.compress().await?;
        let marked = marks.mark(&said).await?;
        assert_eq!(marked.positions, 1_000);
        compressed.compress().await?;
        let taken_back = marks.take_back(marked.mark.id, &samples::words("somebody")).await?;
        assert_eq!(taken_back.map(|back| back.positions), Some(1_000));
    }
    Ok(())
}
