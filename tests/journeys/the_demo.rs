use anyhow::{Context, ensure};
use processor_tests::{Processor, eventually};
use sea_orm::DbBackend;

use crate::SOON;
use crate::folder::Folder;
use crate::stage::query;

#[tokio::test(flavor = "multi_thread")]
async fn needs_nothing_ends_by_itself_and_its_account_adds_up() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let builder = Processor::builder().env("DATABASE_URL", folder.database_url());
    let mut demo = builder.arg("demo").arg("--cars").arg("20").arg("--seconds").arg("5").spawn()?;
    let code = demo.wait_exit(SOON).await?;
    ensure!(code == 0, "ended with {code}");

    let said = demo.lines_with("In the end: ").pop().context("no account")?;
    let numbers: Vec<i64> = said.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [read, outcomes @ ..] = numbers.as_slice() else { anyhow::bail!("no numbers in {said}") };
    ensure!(outcomes.iter().sum::<i64>() == *read && !said.contains("under way"), "{said}");
    ensure!(*read >= 20, "every car sends once a second: {said}");
    let count = "SELECT count(*) FROM positions";
    let rows: Vec<i64> = query(&folder.database_url(), DbBackend::Sqlite, count).await?;
    ensure!(rows == outcomes[..1], "{rows:?} rows: {said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn has_a_history_of_its_event() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let builder = Processor::builder().env("DATABASE_URL", folder.database_url()).with_admin();
    let demo = builder.arg("demo").arg("--cars").arg("1").start().await?;
    let path = "/events/demo/history?from=2026-01-01T00:00:00Z&to=2200-01-01T00:00:00Z&format=ndjson";
    eventually(SOON, "positions of the event", async || {
        let (status, text) = demo.admin_text(path).await?;
        ensure!(status == 200, "{status}: {text}");
        ensure!(text.lines().count() > 1, "{text}");
        Ok(())
    })
    .await;
    Ok(())
}
