use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use processor_domain::{DeviceId, Timestamp};
use processor_tests::{Heard, Ledger, RedisServer, Viewer, Visitor, number, records};
use serde_json::Value;
use tokio::sync::watch;

use super::LiveStage;
use super::live_stage::{ANN, RALLY, SHOWN, ann, devices, moves};
use crate::SOON;

const CARS: u32 = 400;
/// A thousand records a second: so many, so often.
const AT_ONCE: u32 = 50;
const EVERY: Duration = Duration::from_millis(50);
/// So many may be sent before they are seen. An event may be told of later than the one that the witness watches, but
/// not two ticks later: so no frame stands for as many records as there are cars, and no car is in it twice.
const UNSEEN: u32 = CARS / 4;
/// Events that all cars take part in, each of which is watched for the first time under load.
const EVENTS: u64 = 50;
/// Viewers at the same time.
const VIEWERS: u64 = 5;

/// Every car sends once a second of its own time, and not again before that was seen: so nothing is left out for being
/// old, and whoever begins to watch has to be told every second of every car from the first picture on.
///
/// `PROCESSOR_TEST_SUBSCRIPTIONS` says how often somebody begins to watch.
#[tokio::test(flavor = "multi_thread")]
async fn are_told_every_move_from_the_first_picture_on() -> anyhow::Result<()> {
    let subscriptions = number("PROCESSOR_TEST_SUBSCRIPTIONS", 50)?;
    let live = LiveStage::new().await?;
    let cars = devices(CARS);
    let events: Vec<String> =
        (0..EVENTS).map(|event| format!("0f1a7f8e-32ab-4f0e-9c7e-0000000001{event:02}")).collect();
    for event in events.iter().map(String::as_str).chain([RALLY]) {
        live.directus.allow(ANN, event);
        live.tables.enter(event, cars.iter().copied()).await?;
    }
    let processor = live.processor().env("LIVE_TICK_MS", "50").start().await?;
    processor.until_ready(SOON).await;
    let visitor = ann(&processor).await;
    let mut witness = visitor.watch(&[RALLY]).await?;

    let (seen, until_seen) = watch::channel(0);
    let sending = tokio::spawn(drive(live.stage.redis.url().to_owned(), live.stage.ledger(), until_seen));
    let all_moved = |viewer: &Viewer| {
        seen.send_replace(moves(viewer));
        moves(viewer) >= 2 * u64::from(CARS)
    };
    witness.until(SOON, "every car has moved", all_moved).await?;
    let witnessing = async {
        loop {
            witness.hear(SHOWN).await?;
            seen.send_replace(moves(&witness));
        }
    };
    let watching = (0..VIEWERS).map(|viewer| {
        let rounds: Vec<&str> = (viewer..subscriptions)
            .step_by(usize::try_from(VIEWERS).unwrap_or(1))
            .filter_map(|round| events.get(usize::try_from(round % EVENTS).ok()?).map(String::as_str))
            .collect();
        watch_each(&visitor, rounds)
    });
    let watched = tokio::select! {
        watched = try_join_all(watching) => watched?,
        ended = witnessing => { let ended: anyhow::Result<()> = ended; ended?; bail!("the witness is gone") }
    };
    drop(seen);

    let ledger = sending.await??;
    live.stage.settled(&ledger).await;
    let expected = live.whereabouts(cars).await?;
    ensure!(expected.len() == CARS as usize);
    witness.until_cars_are(SHOWN, RALLY, &expected).await?;
    for (mut viewer, event) in watched.into_iter().flatten() {
        viewer.until_cars_are(SHOWN, event, &expected).await?;
    }
    Ok(())
}

/// Sends until nobody looks any more.
async fn drive(
    redis_url: String,
    mut ledger: Ledger,
    mut seen: watch::Receiver<u64>,
) -> anyhow::Result<Ledger> {
    let mut connection = RedisServer::connect(&redis_url).await?;
    let mut ticks = tokio::time::interval(EVERY);
    let mut seconds = records(CARS, u32::MAX);
    let mut sent = 0;
    loop {
        ticks.tick().await;
        if seen.wait_for(|seen| seen + u64::from(UNSEEN) >= sent).await.is_err() {
            return Ok(ledger);
        }
        ledger.publish(&mut connection, seconds.by_ref().take(AT_ONCE as usize)).await?;
        sent += u64::from(AT_ONCE);
    }
}

/// Watches each of these events on a connection of its own, until every car has moved twice. Returns whoever watches
/// the last of them.
async fn watch_each<'a>(
    visitor: &Visitor,
    events: Vec<&'a str>,
) -> anyhow::Result<Option<(Viewer, &'a str)>> {
    let mut last = None;
    for event in events {
        let mut viewer = visitor.watch(&[event]).await?;
        let picture = viewer.picture(event)?;
        ensure!(
            picture.complete() && picture.cars().len() == CARS as usize,
            "not every car is in the snapshot"
        );
        let mut times: BTreeMap<DeviceId, Timestamp> =
            picture.cars().iter().map(|(car, whereabouts)| (*car, whereabouts.ts)).collect();
        let mut moves: BTreeMap<DeviceId, u32> = BTreeMap::new();
        while moves.len() < times.len() || moves.values().any(|moves| *moves < 2) {
            let Heard::Message(frame) = viewer.hear(SHOWN).await? else { bail!("{event} ended") };
            for (car, ts) in positions(&frame)? {
                let before = times.insert(car, ts).context("a car that was not in the snapshot")?;
                let next = before.plus(Duration::from_secs(1));
                ensure!(
                    ts == next || frame.get("conflated").is_some(),
                    "of {car}, {ts} came after {before}: {next} is missing"
                );
                *moves.entry(car).or_default() += 1;
            }
        }
        last = Some((viewer, event));
    }
    Ok(last)
}

fn positions(frame: &Value) -> anyhow::Result<Vec<(DeviceId, Timestamp)>> {
    let positions = frame["positions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |position: &Value| {
        let text = |name: &str| position[name].as_str().context("no text");
        anyhow::Ok((DeviceId::parse(text("device_id")?)?, Timestamp::parse_rfc3339(text("ts")?)?))
    };
    positions.iter().map(read).collect()
}
