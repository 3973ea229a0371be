use anyhow::{Context, ensure};
use processor_tests::{Account, Chance, Proxy, Sample, records};

use crate::counted::{count_of, until_count};
use crate::stage::END_OF_COPY;
use crate::{Outcomes, SOON, Stage, until_counted};

const DEVICES: u32 = 10_000;
const ROOM: u32 = 100;

/// What is forgotten is recalled from the table: what comes next is known to be new, and a place where its car
/// cannot be is told from one where it can.
#[tokio::test(flavor = "multi_thread")]
async fn are_forgotten_in_turn_and_judged_as_if_they_had_not_been() -> anyhow::Result<()> {
    let mut chance = Chance::of_this_run()?;
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let network = Proxy::to(&stage.database_url)?;
    let builder = stage.processor().env("DATABASE_URL", network.url());
    let processor = builder.env("DEVICE_STATE_CAPACITY", ROOM.to_string()).start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, chance.shuffled(records(DEVICES, 2).collect())).await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 20_000, rows: 20_000, ..Account::default() }, "{account:?}");
    let expected = Outcomes { stored: 20_000, ..Outcomes::default() };
    until_counted(&processor, expected).await;
    let evicted = u64::from(DEVICES - ROOM);
    until_count(&processor, "processor_device_state_evictions_total", |count| count >= evicted).await;
    let size = count_of(&processor.metrics().await?, "processor_device_state_size");
    ensure!(size == Some(u64::from(ROOM)), "{size:?} devices in memory");

    // Of all devices, the newest time in the table is the newest that was sent.
    let newest = "SELECT count(DISTINCT device_id) FROM positions WHERE ts = (SELECT max(ts) FROM positions)";
    ensure!(stage.query::<i64>(newest).await? == [i64::from(DEVICES)]);

    let mut next: Vec<Sample> = chance.shuffled(records(DEVICES, 3).skip(20_000).collect());
    next.truncate(3_000);
    for sample in &mut next[..40] {
        *sample = far_away(sample)?;
    }
    let (_, ts) = next[0].key.context("a position has a key")?;
    // A COPY is what such a batch goes by, and only if all of it is known to be new.
    network.lose_reply_to(END_OF_COPY);
    ledger.publish(&mut redis, next).await?;
    stage.settled(&ledger).await;
    ensure!(network.lost_replies() == 1, "the batch was not copied");
    for jumps in ["faults & 32 <> 0", "latitude = 10", "faults & 32 <> 0 AND latitude = 10"] {
        let sql = format!("SELECT count(*) FROM positions WHERE ts = '{ts}' AND {jumps}");
        let count = stage.query::<i64>(&sql).await?;
        ensure!(count == [40], "{count:?} rows where {jumps}");
    }
    Ok(())
}

/// The record with a place where no car gets in a second.
fn far_away(sample: &Sample) -> anyhow::Result<Sample> {
    let mut record: serde_json::Value = serde_json::from_slice(&sample.payload)?;
    record["latitude"] = 10.into();
    Ok(Sample { key: sample.key, payload: record.to_string().into_bytes().into() })
}
