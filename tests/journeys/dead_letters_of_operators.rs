use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use processor_domain::EntryId;
use processor_domain::ports::{Clock, SystemClock};
use processor_tests::{Account, Processor, Sample, Signal, eventually, records};
use serde_json::{Value, json};

use crate::stage::CONSUMER;
use crate::{SOON, Stage};

/// Records of so many devices from in two hours.
fn ahead(devices: u32) -> anyhow::Result<Vec<Sample>> {
    let moment = SystemClock.now().plus(Duration::from_hours(2));
    let ahead = |sample: Sample| {
        let (device, ts) = sample.key.context("a record has a key")?;
        let payload = String::from_utf8(sample.payload.into_vec())?;
        let payload = payload.replacen(&ts.to_string(), &moment.to_string(), 1);
        Ok(Sample { key: Some((device, moment)), payload: payload.into_bytes().into() })
    };
    records(devices, 1).map(ahead).collect()
}

/// What the admin API answers to what it does not refuse.
async fn ask(processor: &Processor, method: &str, path: &str) -> anyhow::Result<Value> {
    match processor.admin(method, path, None).await? {
        (200 | 204, answer) => Ok(answer),
        (status, answer) => Err(anyhow!("{method} {path}: {status} {answer}")),
    }
}

/// The ids of the letters that are listed.
async fn letters(processor: &Processor, filter: &str) -> anyhow::Result<Vec<String>> {
    let page = ask(processor, "GET", &format!("/dead-letters?limit=500{filter}")).await?;
    ensure!(page["next"].is_null(), "there is more: {page}");
    let listed = page["dead_letters"].as_array().context("a list")?;
    Ok(listed.iter().filter_map(|letter| letter["id"].as_str()).map(str::to_owned).collect())
}

async fn until_letters(processor: &Processor, filter: &str, count: usize) -> Vec<String> {
    eventually(SOON, "there are as many letters as expected", async || {
        let listed = letters(processor, filter).await?;
        if listed.len() == count { Ok(listed) } else { Err(anyhow!("{listed:?}")) }
    })
    .await
}

/// Redriven too early, a record comes back; redriven when it is allowed, it becomes a row. What is of no use to
/// anybody is discarded.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_wrongly_becomes_a_row_when_it_is_redriven() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    ledger.publish(&mut redis, records(10, 1)).await?;
    ledger.publish(&mut redis, ahead(3)?).await?;
    let useless: Vec<EntryId> = ledger
        .publish(&mut redis, ["not JSON", "{}"].map(|text| Sample::undecodable(text.as_bytes())))
        .await?;

    let strict = stage.processor().with_admin().env("RECORD_AHEAD_MS", "60000");
    let mut processor = strict.start().await?;
    until_letters(&processor, "", 5).await;
    let too_far = until_letters(&processor, "&reason=time_out_of_span&order=oldest", 3).await;
    until_letters(&processor, "&place=table", 0).await;
    shown(&processor, &too_far[0], "text").await?;
    shown(&processor, &until_letters(&processor, "&reason=not_json", 1).await[0], "base64").await?;
    reads_alone_and_holds_nothing(&processor).await?;

    let redrive = format!("/dead-letters/{}/redrive", too_far[0]);
    ensure!(ask(&processor, "POST", &redrive).await?["redriven"] == 1);
    let (status, again) = processor.admin("POST", &redrive, None).await?;
    ensure!((status, &again["code"]) == (404, &json!("no_such_dead_letter")), "{again}");
    let back = until_letters(&processor, "&reason=time_out_of_span&order=oldest", 3).await;
    ensure!(back[..2] == too_far[1..] && back[2] != too_far[0], "{back:?}");
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);

    let lenient = stage.processor().with_admin();
    let processor = lenient.start().await?;
    let redriven = ask(&processor, "POST", "/dead-letters/redrive?reason=time_out_of_span").await?;
    ensure!(redriven == json!({"redriven": 3, "refused": []}), "{redriven}");
    let discarded = ask(&processor, "DELETE", "/dead-letters?reason=not_json").await?;
    ensure!(discarded["discarded"] == 1, "{discarded}");
    for letter in until_letters(&processor, "", 1).await {
        ask(&processor, "DELETE", &format!("/dead-letters/{letter}")).await?;
    }
    until_letters(&processor, "", 0).await;
    ledger.recount(&mut redis).await?;
    ledger.allow_lost(useless);
    let account = stage.settled(&ledger).await;
    // Of the four times that a record was redriven, each was a repetition of its first entry.
    let expected = Account { given: 19, rows: 13, repeats: 4, lost: 2, ..Account::default() };
    ensure!(account == expected, "{account:?}");
    Ok(())
}

async fn shown(processor: &Processor, letter: &str, encoding: &str) -> anyhow::Result<()> {
    let shown = ask(processor, "GET", &format!("/dead-letters/{letter}")).await?;
    ensure!(shown["dead_letter"]["id"] == letter && shown["encoding"] == encoding, "{shown}");
    Ok(())
}

async fn reads_alone_and_holds_nothing(processor: &Processor) -> anyhow::Result<()> {
    eventually(SOON, "nothing is pending", async || {
        let page = ask(processor, "GET", "/consumers").await?;
        let consumers = &page["streams"][0]["consumers"];
        let one = &consumers[0];
        let alone = consumers.as_array().is_some_and(|consumers| consumers.len() == 1);
        let nothing =
            (&one["own"], &one["pending"], &one["name"]) == (&json!(true), &json!(0), &json!(CONSUMER));
        if alone && nothing { Ok(()) } else { Err(anyhow!("{page}")) }
    })
    .await;
    Ok(())
}

/// While the stream takes nothing, letters are kept in the table, and stay there until the stream takes them.
#[tokio::test(flavor = "multi_thread")]
async fn letters_in_the_table_are_redriven_when_the_stream_takes_them_again() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_redis().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let strict = stage.processor().with_admin().env("RECORD_AHEAD_MS", "60000");
    let mut processor = strict.start().await?;
    processor.until_ready(SOON).await;
    let stop = async |processor: &mut Processor| {
        processor.signal(Signal::SIGTERM)?;
        ensure!(processor.wait_exit(SOON).await? == 0);
        anyhow::Ok(())
    };
    stop(&mut processor).await?;

    ledger.publish(&mut redis, ahead(3)?).await?;
    stage.ask::<()>("CONFIG SET maxmemory-policy noeviction").await?;
    stage.ask::<()>("CONFIG SET maxmemory 1000000").await?;
    let mut processor = strict.start().await?;
    until_letters(&processor, "&place=table", 3).await;
    until_letters(&processor, "&place=stream", 0).await;
    stop(&mut processor).await?;

    let processor = stage.processor().with_admin().start().await?;
    let (status, refused) = processor.admin("POST", "/dead-letters/redrive", None).await?;
    ensure!((status, &refused["code"]) == (503, &json!("unavailable")), "{refused}");
    let letters = until_letters(&processor, "&place=table&order=oldest", 3).await;
    stage.ask::<()>("CONFIG SET maxmemory 0").await?;
    let one = ask(&processor, "POST", &format!("/dead-letters/{}/redrive", letters[0])).await?;
    ensure!(one["redriven"] == 1, "{one}");
    let rest = ask(&processor, "POST", "/dead-letters/redrive?place=table").await?;
    ensure!(rest["redriven"] == 2, "{rest}");
    until_letters(&processor, "", 0).await;
    ledger.recount(&mut redis).await?;
    let account = stage.settled(&ledger).await;
    let expected = Account { given: 6, rows: 3, repeats: 3, ..Account::default() };
    ensure!(account == expected, "{account:?}");
    Ok(())
}
