use anyhow::ensure;
use processor_tests::{Refusal, Session, Visitor, records};
use serde_json::{Value, json};

use super::LiveStage;
use super::live_stage::{ANN, ANNS_SESSION, OTHER_RALLY, RALLY, ann, devices};
use crate::SOON;

/// All of it is decided before there is a socket.
#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_a_session_and_comes_from_an_allowed_page() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    for (cookie, session) in [
        ("expired", Session::Expired),
        ("forged", Session::Forged),
        ("nobodys", Session::Nobody),
        ("shared", Session::Share),
    ] {
        live.directus.begin(cookie, session);
    }
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let address = processor.live_address().await;
    let (stranger, known) = (Visitor::at(&address), ann(&processor).await);
    let not_allowed = refusal(403, "origin_not_allowed");
    let not_signed_in = refusal(401, "not_signed_in");
    let table = [
        (known.clone().from_page_of("https://elsewhere.example"), not_allowed.clone()),
        (known.clone().from_page_of("null"), not_allowed.clone()),
        (known.clone().from_page_of(&format!("http://{address}.elsewhere.example")), not_allowed.clone()),
        (known.clone().from_page_of(&format!("http://{address}/")), not_allowed.clone()),
        (known.clone().without("Origin"), not_allowed.clone()),
        (known.clone().header("Origin", &format!("http://{address}")), not_allowed),
        (stranger.clone(), not_signed_in.clone()),
        (stranger.clone().with_session(""), not_signed_in.clone()),
        (stranger.clone().with_session("unheard-of"), not_signed_in.clone()),
        (stranger.clone().with_session("expired"), not_signed_in.clone()),
        (stranger.clone().with_session("forged"), not_signed_in.clone()),
        (stranger.clone().with_session("nobodys"), not_signed_in.clone()),
        (stranger.clone().with_session("shared"), not_signed_in.clone()),
        (stranger.header("Cookie", &format!("other={ANNS_SESSION}")), not_signed_in),
        (known.clone().with_session("another"), refusal(401, "ambiguous_session")),
    ];
    for (number, (visitor, expected)) in table.into_iter().enumerate() {
        let refused = visitor.knock().await?.err();
        ensure!(refused.as_ref() == Some(&expected), "{number}: {refused:?}, for {visitor:?}");
    }
    known.enter().await?;
    Ok(())
}

fn refusal(status: u16, code: &str) -> Refusal {
    Refusal { status, code: code.to_owned(), retry_after: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_from_the_pages_that_are_named() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let origins = "https://map.example.org,http://localhost:3000";
    let processor = live.processor().env("LIVE_ALLOWED_ORIGINS", origins).start().await?;
    processor.until_ready(SOON).await;
    let ann = ann(&processor).await;
    for origin in origins.split(',') {
        ann.clone().from_page_of(origin).enter().await?;
    }
    for origin in ["http://map.example.org", "https://map.example.org:8443", "https://a.map.example.org"] {
        let refused = ann.clone().from_page_of(origin).knock().await?.err().map(|refused| refused.status);
        ensure!(refused == Some(403), "{refused:?} for {origin}");
    }
    ensure!(ann.knock().await?.is_err(), "its own page is not named");
    Ok(())
}

/// What may not be seen looks as if it did not exist, and what cannot exist is not even asked about.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_others_and_one_that_is_none_look_the_same() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    let absent = "0f1a7f8e-32ab-4f0e-9c7e-0000000000ff";
    let cars = devices(10);
    live.tables.enter(OTHER_RALLY, cars).await?;
    live.directus.allow("0f1a7f8e-32ab-4f0e-9c7e-0000000000b2", OTHER_RALLY);
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let mut viewer = ann(&processor).await.enter().await?;

    let mut answers = Vec::new();
    for event in [OTHER_RALLY, absent] {
        let answer = viewer.ask(json!({"type": "subscribe", "topic": format!("event:{event}")})).await?;
        ensure!(answer["error"]["code"] == "forbidden", "{answer}");
        answers.push(without_names(answer));
    }
    let asked = live.directus.asked("/items/");
    let hostile = [
        "../users/me",
        "..%2Fusers%2Fme",
        "1/../../users/me",
        "1?fields=*",
        "1#",
        "1;2",
        "1 OR 1=1",
        "",
        "\u{0}",
        "é",
    ];
    for event in hostile {
        let answer = viewer.ask(json!({"type": "subscribe", "topic": format!("event:{event}")})).await?;
        answers.push(without_names(answer));
    }
    ensure!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    ensure!(live.directus.asked("/items/") == asked, "the CMS was asked of what cannot be");

    // What happens in it is not heard of: a frame of an event that is not watched is an error here.
    let (mut ledger, mut redis) = (live.stage.ledger(), live.stage.redis.connection().await?);
    ledger.publish(&mut redis, records(10, 5)).await?;
    live.stage.settled(&ledger).await;
    viewer.subscribe(RALLY).await?;
    ensure!(viewer.picture(RALLY)?.cars().is_empty());
    ensure!(viewer.ask(json!({"type": "ping"})).await?["type"] == "pong");
    ensure!(viewer.picture(OTHER_RALLY).is_err());
    Ok(())
}

/// The answer without what it repeats of the question.
fn without_names(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("uid");
        members.remove("topic");
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_beyond_the_limits_until_somebody_leaves() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    live.directus.begin("bobs", Session::Of("0f1a7f8e-32ab-4f0e-9c7e-0000000000b2".to_owned()));
    let builder = live.processor().env("LIVE_MAX_SOCKETS", "3").env("LIVE_MAX_SOCKETS_PER_USER", "2");
    let processor = builder.start().await?;
    processor.until_ready(SOON).await;
    let (ann, bob) =
        (ann(&processor).await, Visitor::at(&processor.live_address().await).with_session("bobs"));
    let first = ann.enter().await?;
    let _second = ann.enter().await?;
    refused_for_want_of_room(&ann).await?;
    let _third = bob.enter().await?;
    refused_for_want_of_room(&bob).await?;
    drop(first);
    let entered = async || match bob.knock().await {
        Ok(Ok(viewer)) => Ok(viewer),
        other => Err(other),
    };
    processor_tests::eventually(SOON, "there is room", entered).await;
    ensure!(live.directus.asked("/") <= 3, "{} questions about {ANN} and another", live.directus.asked("/"));
    Ok(())
}

async fn refused_for_want_of_room(visitor: &Visitor) -> anyhow::Result<()> {
    let refused = visitor.knock().await?.err();
    let as_expected = |refused: &Refusal| {
        refused.status == 503 && refused.code == "at_capacity" && refused.retry_after.is_some()
    };
    ensure!(refused.as_ref().is_some_and(as_expected), "{refused:?}");
    Ok(())
}
