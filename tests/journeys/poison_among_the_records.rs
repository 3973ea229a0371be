use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use processor_domain::EntryId;
use processor_tests::{Account, Chance, Sample, records};
use redis::streams::StreamRangeReply;

use crate::{Outcomes, SOON, Stage, until_counted};

/// How many there are of each kind of poison, one in a hundred of all records.
const OF_A_KIND: usize = 10;

/// What must become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Row,
    DeadLetter(&'static str),
}

/// A kind of poison: which field has which text in place of its value, and what must become of the record.
const KINDS: &[(&str, &str, Fate)] = &[
    ("speed", "fast}", Fate::DeadLetter("not_json")),
    ("latitude", "NaN", Fate::DeadLetter("not_json")),
    ("latitude", "1e999", Fate::DeadLetter("invalid_coordinates")),
    ("latitude", "91", Fate::Row),
    ("device_id", r#""35630\u0000""#, Fate::DeadLetter("invalid_device")),
    ("device_id", "null", Fate::DeadLetter("invalid_device")),
    ("timestamp", "null", Fate::DeadLetter("invalid_time")),
    ("longitude", "null", Fate::DeadLetter("invalid_coordinates")),
    ("timestamp", r#""+262000-01-01T00:00:00Z""#, Fate::DeadLetter("invalid_time")),
    ("timestamp", r#""9999-12-31T00:00:00Z""#, Fate::DeadLetter("time_out_of_span")),
    ("attributes", r#"{"nul":"a\u0000b"}"#, Fate::Row),
    ("attributes", r#"{"surrogate":"a\ud800b"}"#, Fate::Row),
    ("attributes", r#"{"huge":1e400,"\u0000":-1e-400}"#, Fate::Row),
    ("speed", "1e300", Fate::Row),
    ("satellites", "99999", Fate::Row),
];

#[tokio::test(flavor = "multi_thread")]
async fn costs_no_good_record_and_each_kind_ends_where_it_belongs() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut mixed = Vec::new();
    let mut samples = records(100, u32::MAX);
    for (field, text, fate) in KINDS {
        for sample in samples.by_ref().take(OF_A_KIND) {
            mixed.push((poisoned(&sample, field, text, *fate)?, *fate));
        }
    }
    for mut sample in samples.by_ref().take(OF_A_KIND) {
        sample.payload = [&sample.payload, " ".repeat(1 << 20).as_bytes()].concat().into();
        mixed.push((Sample { key: None, ..sample }, Fate::DeadLetter("too_large")));
    }
    let rest = OF_A_KIND * 100 - mixed.len();
    mixed.extend(samples.take(rest).map(|sample| (sample, Fate::Row)));
    let mixed = Chance::of_this_run()?.shuffled(mixed);

    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let (samples, expected): (Vec<_>, Vec<_>) = mixed.into_iter().unzip();
    let rows = expected.iter().filter(|fate| **fate == Fate::Row).count();
    let ids = ledger.publish(&mut redis, samples).await?;
    let fates: BTreeMap<_, _> = ids.into_iter().zip(expected).collect();

    let processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    let expected = Account { given, rows, dead_letters: given - rows, ..Account::default() };
    ensure!(account == expected, "{account:?}");
    let (stored, dead_lettered) = (u64::try_from(rows)?, u64::try_from(given - rows)?);
    until_counted(&processor, Outcomes { stored, dead_lettered, ..Outcomes::default() }).await;

    let letters = letters(&stage).await?;
    ensure!(letters.len() == given - rows, "{} dead letters on the stream", letters.len());
    for (id, reason) in letters {
        let fate = fates.get(&id);
        ensure!(
            fate.is_some_and(|fate| matches!(fate, Fate::DeadLetter(known) if *known == reason)),
            "{id}: {reason}, and not {fate:?}"
        );
    }
    what_is_wrong_is_marked_or_replaced(&stage).await?;
    let chunks: Vec<i64> = stage
        .query("SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'positions'")
        .await?;
    ensure!((1..=2).contains(&chunks[0]), "{chunks:?} chunks");
    Ok(())
}

/// The record with this text in place of the value of a field.
fn poisoned(sample: &Sample, field: &str, text: &str, fate: Fate) -> anyhow::Result<Sample> {
    let mut record: serde_json::Value = serde_json::from_slice(&sample.payload)?;
    *record.get_mut(field).context("no such field")? = "@".into();
    let payload = record.to_string().replacen("\"@\"", text, 1).into_bytes().into();
    Ok(Sample { key: sample.key.filter(|_| fate == Fate::Row), payload })
}

async fn letters(stage: &Stage) -> anyhow::Result<Vec<(EntryId, String)>> {
    let dead: StreamRangeReply = stage.ask("XRANGE $stream:dead - +").await?;
    let letter = |letter: &redis::streams::StreamId| {
        let field = |name| letter.get::<String>(name).with_context(|| format!("no {name}"));
        Ok((field("entry_id")?.parse()?, field("reason")?))
    };
    dead.ids.iter().map(letter).collect()
}

async fn what_is_wrong_is_marked_or_replaced(stage: &Stage) -> anyhow::Result<()> {
    for condition in [
        "latitude = 91 AND faulty AND faults & 4 <> 0",
        "attributes ->> 'nul' = U&'a\\FFFDb'",
        "attributes ->> 'surrogate' = U&'a\\FFFDb'",
        "attributes ? 'huge'",
        "speed IS NULL",
        "satellites IS NULL",
    ] {
        let sql = format!("SELECT count(*) FROM positions WHERE {condition}");
        let count: Vec<i64> = stage.query(&sql).await?;
        ensure!(count == [i64::try_from(OF_A_KIND)?], "{count:?} rows where {condition}");
    }
    Ok(())
}
