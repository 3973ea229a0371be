use std::collections::BTreeSet;

use anyhow::{Context, anyhow, ensure};
use processor_tests::{Browser, Processor, eventually};
use serde_json::Value;

use crate::SOON;
use crate::folder::Folder;

/// In a browser that finds no other machine than this one.
#[tokio::test(flavor = "multi_thread")]
async fn shows_every_operation_and_needs_nothing_from_elsewhere() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let builder = Processor::builder().env("DATABASE_URL", folder.database_url()).with_admin();
    let processor = builder.arg("demo").arg("--cars").arg("1").start().await?;
    let documented = documented(&processor).await?;
    ensure!(documented.len() > 10, "{documented:?}");

    let browser = Browser::start().await?;
    browser.open(&format!("http://{}/docs", processor.address()?)).await?;
    eventually(SOON, "the page shows every operation of the document", async || {
        let shown = shown(&browser).await?;
        if shown == documented { Ok(()) } else { Err(anyhow!("{shown:?}")) }
    })
    .await;

    // One is opened: what it takes and answers is shown as well.
    browser.run("document.querySelector('.opblock-summary-control').click()").await?;
    eventually(SOON, "an operation can be opened", async || {
        let count = browser
            .run("return document.querySelectorAll('.opblock.is-open .responses-wrapper').length")
            .await?;
        if count == 1 { Ok(()) } else { Err(anyhow!("{count}")) }
    })
    .await;

    let loaded = "return performance.getEntriesByType('resource').map(({name}) => name)
        .filter((name) => !name.startsWith('data:') && new URL(name).origin !== location.origin)";
    let elsewhere = browser.run(loaded).await?;
    ensure!(elsewhere == Value::Array(Vec::new()), "asked for elsewhere: {elsewhere}");
    let said = browser.console().await?;
    ensure!(said.is_empty(), "the browser says of the page: {said:#?}");
    Ok(())
}

/// Method and path of every operation.
type Operations = BTreeSet<(String, String)>;

async fn documented(processor: &Processor) -> anyhow::Result<Operations> {
    let (status, document) = processor.get("/openapi.json").await?;
    ensure!(status == 200, "{status} {document}");
    let document: Value = serde_json::from_str(&document)?;
    let prefix = document["servers"][0]["url"].as_str().unwrap_or_default();
    ensure!(prefix.is_empty() || prefix.starts_with('/'), "a server elsewhere: {prefix}");
    let methods = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().cloned().unwrap_or_default();
        let path = path.clone();
        methods.into_iter().map(move |(method, _)| (method, path.clone()))
    };
    Ok(document["paths"].as_object().context("no paths")?.iter().flat_map(methods).collect())
}

async fn shown(browser: &Browser) -> anyhow::Result<Operations> {
    let operations = "return [...document.querySelectorAll('.opblock')].map((block) => [
        block.querySelector('.opblock-summary-method').textContent.toLowerCase(),
        block.querySelector('.opblock-summary-path').dataset.path])";
    let operations = browser.run(operations).await?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let operations = operations.as_array().context("no list")?.iter();
    operations.map(|operation| Ok((text(&operation[0])?, text(&operation[1])?))).collect()
}
