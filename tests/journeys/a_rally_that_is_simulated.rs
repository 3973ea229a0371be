use anyhow::{anyhow, ensure};
use processor_tests::{Processor, Signal, eventually};

use crate::{SOON, Stage};

/// A command that sends: whoever serves stores it, and it ends when it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn is_stored_by_who_serves() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let serving = stage.processor().start().await?;
    serving.until_ready(SOON).await;
    let mut simulator = stage.processor().arg("simulate").arg("--cars").arg("5").spawn()?;
    eventually(SOON, "positions of all five cars are in the table", async || {
        let cars: Vec<i64> = stage.query("SELECT count(DISTINCT device_id) FROM positions").await?;
        if cars == [5] { Ok(()) } else { Err(anyhow!("{cars:?}")) }
    })
    .await;
    simulator.signal(Signal::SIGTERM)?;
    ensure!(simulator.wait_exit(SOON).await? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_somewhere_to_be_sent_to() -> anyhow::Result<()> {
    let mut simulator = Processor::builder().arg("simulate").spawn()?;
    ensure!(simulator.wait_exit(SOON).await? == 64);
    ensure!(simulator.lines_with("REDIS_URL is needed").len() == 1, "{:?}", simulator.lines());
    Ok(())
}
