use std::time::Duration;

use anyhow::{bail, ensure};
use processor_tests::{Heard, Viewer, Visitor};

use super::LiveStage;
use super::live_stage::{RALLY, SHOWN, ann, devices};
use crate::{Load, SOON};

/// Longest message that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// Whoever sends them is closed with the code for it, and nobody else notices.
#[tokio::test(flavor = "multi_thread")]
async fn close_the_socket_they_come_from() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let cars = devices(100);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let ann = ann(&processor).await;
    let mut bystander = ann.watch(&[RALLY]).await?;
    let load = Load::on(&live.stage);

    let stories = async {
        let silent = tokio::spawn({
            let ann = ann.clone();
            async move { ann.enter().await?.closed(Duration::from_secs(20)).await }
        });
        let mistakes = no_json(&ann).await?;
        ensure!(mistakes == 4400, "{mistakes} for messages that are no JSON");
        let mut viewer = ann.watch(&[RALLY]).await?;
        viewer.say_bytes(br#"{"type":"ping"}"#).await?;
        closed(viewer, 4400).await?;
        let mut viewer = ann.watch(&[RALLY]).await?;
        viewer.say(&padded(LONGEST)).await?;
        ensure!(viewer.ask(serde_json::json!({"type": "ping"})).await?["type"] == "pong");
        viewer.say(&padded(LONGEST + 1)).await?;
        closed(viewer, 4400).await?;
        let mut viewer = ann.watch(&[RALLY]).await?;
        viewer.say(&padded(1 << 20)).await.ok();
        // So much is not even read, and the answer may not get through.
        let ended = viewer.closed(SHOWN).await;
        ensure!(ended.as_ref().is_ok_and(|closed| closed.0 == 1009) || ended.is_err(), "{ended:?}");
        let mut viewer = ann.watch(&[RALLY]).await?;
        for _ in 0..300 {
            if viewer.say(r#"{"type":"ping"}"#).await.is_err() {
                break;
            }
        }
        closed(viewer, 4429).await?;
        let silent = silent.await??;
        ensure!(silent == (4400, "nothing was asked for".to_owned()), "{silent:?}");
        anyhow::Ok(())
    };
    bystander.listen_during(Duration::from_secs(5), stories).await?;
    let ledger = load.end().await?;
    live.stage.settled(&ledger).await;
    bystander.until_cars_are(SHOWN, RALLY, &live.whereabouts(cars).await?).await
}

/// Three are answered, with the reason and with what can be repeated of them; how it ends after the fourth.
async fn no_json(ann: &Visitor) -> anyhow::Result<u16> {
    let mut viewer = ann.watch(&[RALLY]).await?;
    for text in ["", "{", r#"{"type":"look","uid":"a"}"#, "[]"] {
        viewer.say(text).await?;
    }
    let mut answers = Vec::new();
    loop {
        match viewer.hear(SHOWN).await? {
            Heard::Message(message) if message["type"] == "error" => answers.push(message),
            Heard::Message(_) => {}
            Heard::Closed(code, _) => {
                ensure!(answers.len() == 3, "{answers:?}");
                ensure!(answers.iter().all(|answer| answer["error"]["code"] == "bad_message"), "{answers:?}");
                ensure!(answers[2]["uid"] == "a", "{answers:?}");
                return Ok(code);
            }
            Heard::Lost => bail!("it ended without a close"),
        }
    }
}

async fn closed(mut viewer: Viewer, expected: u16) -> anyhow::Result<()> {
    let (code, reason) = viewer.closed(SHOWN).await?;
    ensure!(code == expected, "{code} ({reason}) in place of {expected}");
    Ok(())
}

/// A message of so many bytes.
fn padded(bytes: usize) -> String {
    let message = r#"{"type":"ping"}"#;
    format!("{message}{}", " ".repeat(bytes - message.len()))
}
