use std::time::Duration;

use anyhow::{Context, ensure};
use processor_domain::{DeviceId, Timestamp};
use processor_tests::{Processor, Sample, eventually, records};
use serde_json::json;

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices};
use crate::SOON;

/// Until a mark holds for what was judged before it was heard of.
const MARKED: Duration = Duration::from_mins(1);

/// Makes a mark and returns its number.
async fn mark(
    processor: &Processor,
    car: DeviceId,
    (from, to): (Timestamp, Timestamp),
    ruling: &str,
) -> anyhow::Result<(i64, u64)> {
    let wish = json!({
        "device_id": car.as_str(), "from": from.to_string(), "to": to.to_string(), "ruling": ruling,
        "by": "race control", "why": "tracker in another car",
    });
    let (status, marked) = processor.admin("POST", "/marks", Some(&wish)).await?;
    ensure!(status == 201, "{status} {marked}");
    let id = marked["mark"]["id"].as_i64().context("a number")?;
    Ok((id, marked["positions"].as_u64().context("how many")?))
}

/// Whoever watches at another instance sees it within seconds; what comes later is judged by it; and nothing of it
/// is left when it is taken back.
#[tokio::test(flavor = "multi_thread")]
async fn moves_the_marker_back_at_every_instance() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(5);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let instance = async |name: &str| -> anyhow::Result<Processor> {
        let processor = live
            .processor()
            .with_admin()
            .env("INSTANCE_ID", name)
            .env("MARKS_REFRESH_MS", "100")
            .start()
            .await?;
        processor.until_ready(SOON).await;
        Ok(processor)
    };
    let (first, second) = (instance("first").await?, instance("second").await?);
    let mut viewers = [ann(&first).await.watch(&[RALLY]).await?, ann(&second).await.watch(&[RALLY]).await?];
    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    let mut sent = records(5, 60);
    ledger.publish(&mut redis, sent.by_ref().take(150)).await?;
    live.stage.settled(&ledger).await;
    let expected = live.whereabouts(cars.iter().copied()).await?;
    for viewer in &mut viewers {
        viewer.until_cars_are(SHOWN, RALLY, &expected).await?;
    }

    let second_of = |number: usize| -> anyhow::Result<Timestamp> {
        let sample: Sample = records(1, 60).nth(number).context("a record")?;
        Ok(sample.key.context("a key")?.1)
    };
    let span = (second_of(20)?, second_of(40)?);
    let (id, positions) = mark(&first, cars[0], span, "faulty").await?;
    ensure!(positions == 10, "{positions} positions were there");
    let marked = live.whereabouts(cars.iter().copied()).await?;
    ensure!(marked[&cars[0]].ts == second_of(19)? && marked[&cars[1]].ts == second_of(29)?);
    for viewer in &mut viewers {
        viewer.until_cars_are(SHOWN, RALLY, &marked).await?;
    }

    // Ten more seconds that the mark speaks of, judged by both instances.
    ledger.publish(&mut redis, sent.by_ref().take(50)).await?;
    live.stage.settled(&ledger).await;
    let (marked_until, elsewhere) = (second_of(19)?, second_of(39)?);
    // An instance that had not heard of the mark yet puts it right half a minute after it has.
    let later = eventually(MARKED, "what came later is marked", async || {
        let later = live.whereabouts(cars.iter().copied()).await.map_err(|error| format!("{error:#}"))?;
        let seen = (later[&cars[0]].ts, later[&cars[1]].ts);
        if seen == (marked_until, elsewhere) { Ok(later) } else { Err(format!("{seen:?}")) }
    })
    .await;
    for viewer in &mut viewers {
        viewer.until_cars_are(SHOWN, RALLY, &later).await?;
    }

    let (status, back) = second.admin("DELETE", &format!("/marks/{id}?by=race%20control"), None).await?;
    ensure!((status, &back["positions"]) == (200, &json!(20)), "{status} {back}");
    let whole = live.whereabouts(cars.iter().copied()).await?;
    ensure!(whole[&cars[0]].ts == second_of(39)?);
    for viewer in &mut viewers {
        viewer.until_cars_are(SHOWN, RALLY, &whole).await?;
    }
    let (_, list) = first.admin("GET", "/marks", None).await?;
    ensure!(list["marks"][0]["taken_back"]["by"] == "race control", "{list}");

    ledger.publish(&mut redis, sent).await?;
    live.stage.settled(&ledger).await;
    let end = live.whereabouts(cars).await?;
    for viewer in &mut viewers {
        viewer.until_cars_are(SHOWN, RALLY, &end).await?;
    }
    Ok(())
}
