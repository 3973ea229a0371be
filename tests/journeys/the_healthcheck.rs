use anyhow::{Context, ensure};
use processor_tests::{Processor, Signal};

use crate::SOON;
use crate::folder::Folder;

async fn healthcheck(port: &str) -> anyhow::Result<i32> {
    Processor::builder().env("METRICS_PORT", port).arg("healthcheck").spawn()?.wait_exit(SOON).await
}

#[tokio::test(flavor = "multi_thread")]
async fn says_0_beside_a_service_that_runs_and_1_when_it_is_gone() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let mut service = Processor::builder().env("DATABASE_URL", folder.database_url()).start().await?;
    let address = service.address()?;
    let (_, port) = address.rsplit_once(':').context("no port")?;
    let code = healthcheck(port).await?;
    ensure!(code == 0, "ended with {code}");

    service.signal(Signal::SIGTERM)?;
    ensure!(service.wait_exit(SOON).await? == 0);
    let code = healthcheck(port).await?;
    ensure!(code == 1, "ended with {code}");
    Ok(())
}
