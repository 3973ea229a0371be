use anyhow::ensure;
use processor_tests::{Account, Processor, Proxy, eventually, records};

use crate::folder::Folder;
use crate::{SOON, Stage};

/// An address at which nobody listens.
async fn nowhere(url: &str) -> anyhow::Result<Proxy> {
    let proxy = Proxy::to(url)?;
    proxy.refuse().await;
    Ok(proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_69_when_the_database_is_not_there_in_time() -> anyhow::Result<()> {
    let database = nowhere("postgres://postgres:secret@127.0.0.1:5432/postgres").await?;
    let builder = Processor::builder().env("DATABASE_URL", database.url()).env("START_TIMEOUT_MS", "1500");
    let mut processor = builder.spawn()?;
    let code = processor.wait_exit(SOON).await?;
    ensure!(code == 69, "ended with {code}");
    ensure!(processor.lines_with("no database").len() == 1, "{:?}", processor.lines());
    ensure!(processor.lines_with("secret").is_empty(), "the password is in the log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_69_when_redis_is_not_there_in_time() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let redis = nowhere("redis://:secret@127.0.0.1:6379").await?;
    let builder = Processor::builder().env("REDIS_URL", redis.url()).env("START_TIMEOUT_MS", "1500");
    let mut processor = builder.env("DATABASE_URL", folder.database_url()).spawn()?;
    let code = processor.wait_exit(SOON).await?;
    ensure!(code == 69, "ended with {code}");
    ensure!(processor.lines_with("no stream").len() == 1, "{:?}", processor.lines());
    ensure!(processor.lines_with("secret").is_empty(), "the password is in the log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_when_they_come_in_time() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (database, redis) = (nowhere(&stage.database_url).await?, nowhere(stage.redis.url()).await?);
    let builder = stage.processor().env("DATABASE_URL", database.url()).env("REDIS_URL", redis.url());
    let processor = builder.spawn()?;
    for (server, what) in [(&database, "the database is not there yet"), (&redis, "Redis is not there yet")] {
        eventually(SOON, what, async || match processor.lines_with(what).len() {
            1 => Ok(()),
            other => Err(other),
        })
        .await;
        server.accept().await?;
    }
    processor.until_ready(SOON).await;
    let mut ledger = stage.ledger();
    ledger.publish(&mut stage.redis.connection().await?, records(10, 1)).await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 10, rows: 10, ..Account::default() }, "{account:?}");
    Ok(())
}
