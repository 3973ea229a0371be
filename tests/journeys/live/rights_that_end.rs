use std::time::{Duration, Instant};

use anyhow::ensure;
use processor_tests::{Session, Visitor};
use serde_json::json;

use super::LiveStage;
use super::live_stage::{ANN, ANNS_SESSION, RALLY, SHOWN, ann, devices, frames};
use crate::{Load, SOON};

/// How long one may go on seeing what one may not see any more.
const AT_MOST: Duration = Duration::from_mins(1);
/// How long somebody may be away whose session was only refreshed.
const AWAY_AT_MOST: Duration = Duration::from_secs(2);

const BOB: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b2";
const CID: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b3";
const DAN: &str = "0f1a7f8e-32ab-4f0e-9c7e-0000000000b4";

/// Ann signs out, Bob may not see the event any more, Cid gets a new session in place of his old one, and Dan has
/// nothing to do with it.
#[tokio::test(flavor = "multi_thread")]
async fn end_the_stream_within_a_minute_and_nobody_elses() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    for (cookie, user) in [("bobs", BOB), ("cids", CID), ("dans", DAN)] {
        live.directus.begin(cookie, Session::Of(user.to_owned()));
        live.directus.allow(user, RALLY);
    }
    let cars = devices(100);
    live.tables.enter(RALLY, cars.iter().copied()).await?;
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let stranger = Visitor::at(&processor.live_address().await);
    let anns = ann(&processor).await;
    let (bobs, dans) = (stranger.clone().with_session("bobs"), stranger.clone().with_session("dans"));
    let mut ann = anns.watch(&[RALLY]).await?;
    let mut bob = bobs.watch(&[RALLY]).await?;
    let mut cid = stranger.clone().with_session("cids").watch(&[RALLY]).await?;
    let mut dan = dans.watch(&[RALLY]).await?;
    let load = Load::on(&live.stage);
    for viewer in [&mut ann, &mut bob, &mut cid, &mut dan] {
        viewer.until(SHOWN, "cars move", |viewer| frames(viewer) > 0).await?;
    }

    live.directus.end(ANNS_SESSION);
    live.directus.withdraw(BOB, RALLY);
    live.directus.begin("cids-next", Session::Of(CID.to_owned()));
    live.directus.end("cids");
    let cid_is_back = async {
        let closed = cid.closed(AT_MOST).await?;
        let (code, gone_at, was_at) = (closed.0, Instant::now(), cid.picture(RALLY)?.seq());
        let next = stranger.with_session("cids-next").enter().await?;
        let mut cid = next.remember(cid);
        cid.resume(RALLY).await?;
        cid.until(SHOWN, "a frame", |viewer| viewer.picture(RALLY).is_ok_and(|now| now.seq() > was_at))
            .await?;
        let away = gone_at.elapsed();
        ensure!(cid.picture(RALLY)?.recovered(), "what was missed is not told");
        ensure!(away < AWAY_AT_MOST, "away for {away:?}");
        anyhow::Ok((cid, code))
    };
    let still_there = async {
        let (began, before) = (Instant::now(), frames(&dan));
        dan.until(AT_MOST, "time passes", |_| began.elapsed() > Duration::from_secs(20)).await?;
        ensure!(frames(&dan) > before);
        anyhow::Ok(dan)
    };
    let (anns_end, bobs_end, (mut cid, cids_end), mut dan) =
        tokio::try_join!(ann.closed(AT_MOST), bob.closed(AT_MOST), cid_is_back, still_there)?;
    ensure!(anns_end == (4401, "session ended".to_owned()), "{anns_end:?}");
    ensure!(bobs_end == (4403, "access withdrawn".to_owned()), "{bobs_end:?}");
    ensure!(cids_end == 4401, "{cids_end}");
    let refused = anns.knock().await?.err().map(|refused| refused.status);
    ensure!(refused == Some(401), "{ANN} is let in, or refused with {refused:?}");
    let answer =
        bobs.enter().await?.ask(json!({"type": "subscribe", "topic": format!("event:{RALLY}")})).await?;
    ensure!(answer["error"]["code"] == "forbidden", "{answer}");

    let ledger = load.end().await?;
    live.stage.settled(&ledger).await;
    let expected = live.whereabouts(cars).await?;
    cid.until_cars_are(SHOWN, RALLY, &expected).await?;
    dan.until_cars_are(SHOWN, RALLY, &expected).await
}
