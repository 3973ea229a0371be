use std::collections::BTreeMap;

use anyhow::{Context, anyhow, ensure};
use processor_tests::{Browser, Processor, Proxy, eventually};
use serde_json::Value;

use crate::SOON;
use crate::folder::Folder;

const CARS: usize = 20;

/// In a real browser, with the demonstration behind it.
#[tokio::test(flavor = "multi_thread")]
async fn shows_cars_that_move_and_comes_back_with_nothing_missed() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let builder = Processor::builder().env("DATABASE_URL", folder.database_url());
    let demo = builder.arg("demo").arg("--cars").arg(CARS.to_string()).start().await?;
    let network = Proxy::to(&demo.live_address().await)?;
    let browser = Browser::start().await?;
    browser.open(&format!("http://{}/", network.addr())).await?;
    until_status(&browser, "live", "first").await?;
    until_most_have_moved(&browser, places(&browser).await?).await;
    let said = browser.console().await?;
    ensure!(said.is_empty(), "the browser says of the page: {said:#?}");

    network.cut();
    eventually(SOON, "the page has noticed", async || match status(&browser).await {
        Ok(status) if status["interruptions"] == "1" => Ok(()),
        other => Err(other),
    })
    .await;
    until_status(&browser, "live", "resumed").await?;
    let problems = browser.run("return window.__processor.problems").await?;
    ensure!(!problems.to_string().contains("gap"), "{problems}");
    until_most_have_moved(&browser, places(&browser).await?).await;
    let said = browser.console().await?;
    let of_the_cut = |line: &&String| line.contains("WebSocket connection to");
    ensure!(said.iter().all(|line| of_the_cut(&line)), "the browser says of the page: {said:#?}");
    Ok(())
}

async fn status(browser: &Browser) -> anyhow::Result<Value> {
    browser.run("return {...document.querySelector('#status').dataset}").await
}

async fn until_status(browser: &Browser, state: &str, resumption: &str) -> anyhow::Result<()> {
    eventually(SOON, &format!("the page is {state}, {resumption}"), async || match status(browser).await {
        Ok(status) if status["state"] == state && status["resumption"] == resumption => Ok(()),
        other => Err(other),
    })
    .await;
    Ok(())
}

/// Where the rows of the list say that the cars are.
async fn places(browser: &Browser) -> anyhow::Result<BTreeMap<String, String>> {
    let rows =
        "return Object.fromEntries([...document.querySelectorAll('#list [data-device]')].map(({dataset}) =>
        [dataset.device, `${dataset.lat} ${dataset.lon}`]))";
    let rows = browser.run(rows).await?;
    let rows = rows.as_object().context("no rows")?;
    Ok(rows.iter().map(|(device, place)| (device.clone(), place.to_string())).collect())
}

/// Some cars of the rally stand still, or have no fix for a while.
async fn until_most_have_moved(browser: &Browser, from: BTreeMap<String, String>) {
    eventually(SOON, "most cars have moved", async || {
        let now = places(browser).await?;
        let moved = now.iter().filter(|(device, place)| from.get(*device) != Some(place)).count();
        if now.len() == CARS && moved >= CARS / 2 { Ok(()) } else { Err(anyhow!("{moved} of {}", now.len())) }
    })
    .await;
}
