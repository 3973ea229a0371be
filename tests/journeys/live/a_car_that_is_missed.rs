use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use processor_domain::DeviceId;
use processor_tests::{Processor, Sample, Session, eventually, records};
use serde_json::Value;

use super::LiveStage;
use super::live_stage::{ANNS_SESSION, OTHER_RALLY, RALLY, ann};
use crate::SOON;

/// A user who may see nothing.
const BOB: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b2";

/// The verdict on a car, and the codes of what was found out, the heaviest first.
async fn explain(processor: &Processor, car: DeviceId, query: &str) -> anyhow::Result<(String, Vec<String>)> {
    let (status, answer) = processor.admin("GET", &format!("/devices/{car}/explain{query}"), None).await?;
    ensure!(status == 200, "{status} {answer}");
    verdict(&answer)
}

fn verdict(answer: &Value) -> anyhow::Result<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let findings = answer["findings"].as_array().context("no findings")?;
    let codes = findings.iter().map(|finding| text(&finding["code"])).collect::<Result<_, _>>()?;
    Ok((text(&answer["verdict"])?, codes))
}

/// Waits until this is the verdict, and this among what was found out.
async fn until(processor: &Processor, car: DeviceId, verdict: &str, wanted: &str) {
    eventually(SOON, &format!("the car is {verdict}, with {wanted}"), async || {
        let (found, codes) = explain(processor, car, "").await.map_err(|error| anyhow!("{error:#}"))?;
        if found == verdict && codes.iter().any(|code| code == wanted) {
            Ok(())
        } else {
            Err(anyhow!("{found} {codes:?}"))
        }
    })
    .await;
}

/// A record that says it has no satellites.
fn without_fix(sample: &Sample) -> anyhow::Result<Sample> {
    let mut record: Value = serde_json::from_slice(&sample.payload)?;
    record["satellites"] = 0.into();
    Ok(Sample { payload: record.to_string().into_bytes().into(), ..sample.clone() })
}

#[tokio::test(flavor = "multi_thread")]
async fn is_told_at_every_step_what_keeps_it_off_the_map() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let processor = live.processor().with_admin().start().await?;
    processor.until_ready(SOON).await;
    let samples: Vec<Sample> = records(1, 3).collect();
    let (car, _) = samples[0].key.context("a car")?;
    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);

    let (status, unknown) = processor.admin("GET", &format!("/devices/{car}"), None).await?;
    ensure!((status, unknown["code"].as_str()) == (404, Some("unknown_device")), "{status} {unknown}");
    until(&processor, car, "not_on_map", "never_heard_of").await;

    let nonsense = format!(r#"{{"device_id":"{car}","timestamp":"yesterday"}}"#);
    ledger.publish(&mut redis, [Sample::undecodable(nonsense.into_bytes())]).await?;
    live.stage.settled(&ledger).await;
    until(&processor, car, "not_on_map", "only_dead_letters").await;

    ledger.publish(&mut redis, [without_fix(&samples[0])?]).await?;
    live.stage.settled(&ledger).await;
    let (_, codes) = explain(&processor, car, "").await?;
    ensure!(codes[..2] == ["no_good_position", "not_in_devices"], "{codes:?}");

    ledger.publish(&mut redis, [samples[1].clone()]).await?;
    live.stage.settled(&ledger).await;
    until(&processor, car, "not_on_map", "not_in_devices").await;

    live.tables.enter(RALLY, [car]).await?;
    until(&processor, car, "on_map", "late").await;
    let (verdict_there, codes) = explain(&processor, car, &format!("?event={OTHER_RALLY}")).await?;
    ensure!((verdict_there.as_str(), codes[0].as_str()) == ("not_on_map", "in_other_event"), "{codes:?}");

    let _viewer = ann(&processor).await.watch(&[RALLY]).await?;
    let path = format!("/devices/{car}/explain?event={RALLY}");
    let of_ann = format!("X-Viewer-Session: {ANNS_SESSION}");
    let (_, answer) = processor.admin_with("GET", &path, &[&of_ann], None).await?;
    let (found, codes) = verdict(&answer)?;
    ensure!(found == "on_map" && codes.ends_with(&["watched".into(), "viewer_may".into()]), "{codes:?}");
    live.directus.begin("session-of-bob", Session::Of(BOB.to_owned()));
    let (_, answer) = processor.admin_with("GET", &path, &["X-Viewer-Session: session-of-bob"], None).await?;
    let (_, codes) = verdict(&answer)?;
    ensure!(codes[0] == "viewer_may_not", "{codes:?}");

    let (_, device) = processor.admin("GET", &format!("/devices/{car}"), None).await?;
    ensure!(device["last"]["faulty"] == false && device["events"][0] == RALLY, "{device}");
    ensure!(device["last_good"]["ts"] == device["high_water"], "{device}");
    let (_, roster) = processor.admin("GET", "/roster", None).await?;
    ensure!(roster["schema"] == "key" && roster["events"][0]["devices"] == 1, "{roster}");
    let (_, picture) = processor.admin("GET", "/live", None).await?;
    ensure!(picture["connections"] == 1 && picture["topics"][0]["viewers"] == 1, "{picture}");
    ensure!(picture["feeds"][0]["there"] == true, "{picture}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn is_not_said_to_be_on_the_map_or_off_it_while_the_database_is_away() -> anyhow::Result<()> {
    let live =
        LiveStage::on(crate::Stage::with_its_own_database().await?, processor_tests::DeviceNaming::ByKey)
            .await?;
    let (car, _) = records(1, 1).next().and_then(|sample| sample.key).context("a car")?;
    live.tables.enter(RALLY, [car]).await?;
    let processor = live.processor().with_admin().start().await?;
    processor.until_ready(SOON).await;
    until(&processor, car, "not_on_map", "never_heard_of").await;
    live.stage.timescale.kill().await?;
    until(&processor, car, "unknown", "store_unavailable").await;
    let (status, problem) = processor.admin("GET", &format!("/devices/{car}"), None).await?;
    ensure!((status, problem["code"].as_str()) == (503, Some("store_unavailable")), "{status} {problem}");
    Ok(())
}

/// A level that was changed by mistake is not for good.
#[tokio::test(flavor = "multi_thread")]
async fn is_looked_for_in_a_log_that_says_more_for_a_while() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let processor = live.processor().with_admin().start().await?;
    processor.until_ready(SOON).await;
    let change = serde_json::json!({"directives": "debug,sqlx=warn,hyper=warn", "for_seconds": 1});
    let (status, levels) = processor.admin("PUT", "/log-level", Some(&change)).await?;
    ensure!(status == 200 && levels["directives"] == "debug,sqlx=warn,hyper=warn", "{status} {levels}");
    eventually(SOON, "the level is as configured again", async || {
        let (_, levels) =
            processor.admin("GET", "/log-level", None).await.map_err(|error| anyhow!("{error:#}"))?;
        if levels["directives"] == levels["configured"] { Ok(()) } else { Err(anyhow!("{levels}")) }
    })
    .await;
    eventually(Duration::from_secs(20), "both changes are in the log", async || {
        let said = [
            processor.lines_with("an operator changed what is logged").len(),
            processor.lines_with("what is logged is again as configured").len(),
        ];
        if said == [1, 1] { Ok(()) } else { Err(anyhow!("{said:?}")) }
    })
    .await;
    Ok(())
}
