use std::path::PathBuf;

use anyhow::ensure;
use processor_tests::{Processor, ProcessorBuilder, records};
use sea_orm::DbBackend;

use crate::folder::Folder;
use crate::stage::query;
use crate::{Outcomes, SOON, Stage, until_counted};

const COUNT: &str = "SELECT count(*) FROM positions";

/// Five hundred records, one a line.
fn recording(folder: &Folder) -> anyhow::Result<PathBuf> {
    let lines: Vec<u8> = records(10, 50).flat_map(|sample| [&sample.payload[..], b"\n"].concat()).collect();
    let path = folder.file("recording.ndjson");
    std::fs::write(&path, lines)?;
    Ok(path)
}

async fn replay(builder: ProcessorBuilder, path: &PathBuf) -> anyhow::Result<()> {
    let mut replay = builder.arg("replay").arg(path).arg("--rate").arg("max").spawn()?;
    let code = replay.wait_exit(SOON).await?;
    ensure!(code == 0, "ended with {code}");
    ensure!(replay.lines_with("sent 500 records into").len() == 1, "{:?}", replay.lines());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_through_redis_if_there_is_one() -> anyhow::Result<()> {
    let (stage, folder) = (Stage::new().await?, Folder::new()?);
    let path = recording(&folder)?;
    let processor = stage.processor().start().await?;
    for times in [1, 2] {
        replay(stage.processor(), &path).await?;
        let expected = Outcomes { stored: 500, duplicate: 500 * (times - 1), ..Outcomes::default() };
        until_counted(&processor, expected).await;
    }
    ensure!(stage.rows().await? == 500);
    stage.until_pending(|pending| pending == 0).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_straight_into_the_database_if_there_is_none() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let path = recording(&folder)?;
    for _ in 0..2 {
        replay(Processor::builder().env("DATABASE_URL", folder.database_url()), &path).await?;
        let rows: Vec<i64> = query(&folder.database_url(), DbBackend::Sqlite, COUNT).await?;
        ensure!(rows == [500], "{rows:?}");
    }
    Ok(())
}
