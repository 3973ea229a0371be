use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use processor_domain::DeviceId;
use processor_tests::{
    Account, DeviceNaming, ProcessorBuilder, Sample, Whereabouts, records, setting, unique,
};
use redis::AsyncCommands;
use redis::streams::StreamRangeReply;
use serde_json::{Value, json};

use super::LiveStage;
use super::live_stage::{OTHER_RALLY, RALLY, SHOWN, ann};
use crate::counted::until_count;
use crate::folder::Folder;
use crate::{SOON, Stage};

/// Cars in the event, and trackers that are in another one or in none.
const CARS: u32 = 40;
const OTHERS: u32 = 10;
const SECONDS: u32 = 40;

/// A record, and where its car is to be seen after it: where it was if the record is faulty.
struct Step {
    sample: Sample,
    device: DeviceId,
    seen_at: Option<Whereabouts>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_move_of_every_car_is_seen_and_nothing_else() -> anyhow::Result<()> {
    watch_a_day(DeviceNaming::ByKey).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_where_entries_name_devices_by_imei() -> anyhow::Result<()> {
    watch_a_day(DeviceNaming::ByImei).await
}

/// A second of the day at a time: the next one begins when all of it is seen.
async fn watch_a_day(naming: DeviceNaming) -> anyhow::Result<()> {
    let live = LiveStage::on(Stage::new().await?, naming).await?;
    let day = day()?;
    let devices = |seconds: &[Vec<Step>]| seconds[0].iter().map(|step| step.device).collect::<Vec<_>>();
    let (cars, others) = (&devices(&day)[..CARS as usize], &devices(&day)[CARS as usize..]);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    live.tables.enter(OTHER_RALLY, others[..2].iter().copied()).await?;
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let mut viewer = ann(&processor).await.watch(&[RALLY]).await?;
    ensure!(viewer.picture(RALLY)?.complete() && viewer.picture(RALLY)?.cars().is_empty());

    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut expected = BTreeMap::new();
    for second in day {
        for step in &second {
            if let (Some(whereabouts), true) = (&step.seen_at, cars.contains(&step.device)) {
                expected.insert(step.device, whereabouts.clone());
            }
        }
        ledger.publish(&mut redis, second.into_iter().map(|step| step.sample)).await?;
        viewer.until_cars_are(SHOWN, RALLY, &expected).await?;
    }
    let given = ((CARS + OTHERS) * SECONDS) as usize;
    let account = live.stage.settled(&ledger).await;
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    ensure!(expected == live.whereabouts(cars.iter().copied()).await?, "the table says otherwise");
    let faulty = viewer.picture(RALLY)?.faulty();
    ensure!(faulty > 100, "{faulty} faulty positions were told of");
    let orphans = f64::from((OTHERS - 2) * SECONDS);
    let counted =
        processor.metrics().await?.value("processor_live_positions_total", &[("outcome", "orphan")]);
    ensure!(counted == Some(orphans), "{counted:?} positions of devices that are in no event");
    Ok(())
}

/// Records by the second, with the faults that trackers have: no fix, a place that is none, a jump, and records that
/// come in the wrong order.
fn day() -> anyhow::Result<Vec<Vec<Step>>> {
    let steps: Vec<Step> = records(CARS + OTHERS, SECONDS)
        .enumerate()
        .map(|(number, sample)| step(number, &sample))
        .collect::<Result<_, _>>()?;
    let mut steps = steps.into_iter();
    let per_second = (CARS + OTHERS) as usize;
    let mut seconds: Vec<Vec<Step>> =
        (0..SECONDS).map(|_| steps.by_ref().take(per_second).collect()).collect();
    // Of every tenth car two records change places, and the earlier one, which comes too late, is not to be seen.
    for early in (4..seconds.len() - 1).step_by(9) {
        for car in (0..per_second).step_by(10) {
            let [first, second] = seconds.get_disjoint_mut([early, early + 1])?;
            std::mem::swap(&mut first[car], &mut second[car]);
            if first[car].seen_at.is_some() {
                second[car].seen_at = None;
            }
        }
    }
    Ok(seconds)
}

fn step(number: usize, sample: &Sample) -> anyhow::Result<Step> {
    let (device, ts) = sample.key.context("a record with a key")?;
    let mut record: Value = serde_json::from_slice(&sample.payload)?;
    let faulty = match number % 17 {
        3 => {
            record["satellites"] = json!(0);
            true
        }
        7 => {
            (record["latitude"], record["longitude"]) = (json!(0), json!(0));
            true
        }
        // The first fix of a car is believed, wherever it is.
        11 if number >= (CARS + OTHERS) as usize => {
            record["latitude"] = json!(56.5);
            true
        }
        _ => false,
    };
    let degrees = |name: &str| record[name].as_f64().context("degrees");
    let seen_at = Whereabouts::new(ts, degrees("latitude")?, degrees("longitude")?);
    let payload = record.to_string().into_bytes().into();
    Ok(Step { sample: Sample { payload, key: sample.key }, device, seen_at: (!faulty).then_some(seen_at) })
}

/// `PROCESSOR_TEST_RECORDING` names a recording of another day: records a line, gzipped or not. All of its devices are
/// cars of the event.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_a_recording_every_car_is_seen_where_it_was_last() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let folder = Folder::new()?;
    let recording = if let Some(path) = setting("PROCESSOR_TEST_RECORDING") {
        PathBuf::from(path)
    } else {
        let lines = day()?.into_iter().flatten().flat_map(|step| [&step.sample.payload[..], b"\n"].concat());
        std::fs::write(folder.file("recording.ndjson"), lines.collect::<Vec<u8>>())?;
        folder.file("recording.ndjson")
    };
    // Onto a stream that nobody reads, to see who is in it.
    let aside = unique("aside");
    replay(live.stage.processor().env("REDIS_TELEMETRY_STREAM", &aside), &recording).await?;
    let mut redis = live.stage.redis.connection().await?;
    let entries: StreamRangeReply = redis.xrange_all(&aside).await?;
    let payloads = entries.ids.iter().map(|entry| entry.get::<String>("payload").context("no payload"));
    let cars: BTreeSet<DeviceId> =
        payloads.map(|payload| device_of(&payload?)).collect::<anyhow::Result<_>>()?;
    live.tables.enter(RALLY, cars.iter().copied()).await?;

    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let mut viewer = ann(&processor).await.watch(&[RALLY]).await?;
    viewer.listen_during(SHOWN, replay(live.stage.processor(), &recording)).await?;
    let given = entries.ids.len() as u64;
    until_count(&processor, "processor_acks_total", |acknowledged| acknowledged == given).await;
    let expected = live.whereabouts(cars.iter().copied()).await?;
    viewer.until_cars_are(SHOWN, RALLY, &expected).await?;
    let picture = viewer.picture(RALLY)?;
    println!(
        "{} records of {} devices: {} cars are where they were last, after {} frames with {} moves and {} faulty \
         positions",
        entries.ids.len(),
        cars.len(),
        expected.len(),
        picture.frames(),
        picture.moves(),
        picture.faulty()
    );
    Ok(())
}

async fn replay(builder: ProcessorBuilder, recording: &Path) -> anyhow::Result<()> {
    let code = builder.arg("replay").arg(recording).arg("--rate").arg("max").spawn()?.wait_exit(SOON).await?;
    ensure!(code == 0, "ended with {code}");
    Ok(())
}

fn device_of(payload: &str) -> anyhow::Result<DeviceId> {
    let record: Value = serde_json::from_str(payload)?;
    Ok(DeviceId::parse(record["device_id"].as_str().context("no device")?)?)
}
