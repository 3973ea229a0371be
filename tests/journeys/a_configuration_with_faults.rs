use anyhow::ensure;
use processor_tests::Processor;

use crate::SOON;

#[tokio::test]
async fn is_told_all_at_once_and_ends_with_64() -> anyhow::Result<()> {
    let builder = Processor::builder()
        .env("REDIS_URL", "nowhere")
        .env("DATABASE_URL", "nothing")
        .env("METRICS_PORT", "many")
        .env("LOG_LEVEL", "bebug");
    let mut processor = builder.spawn()?;
    let code = processor.wait_exit(SOON).await?;
    ensure!(code == 64, "ended with {code}");
    for name in ["REDIS_URL", "DATABASE_URL", "METRICS_PORT", "LOG_LEVEL must be levels"] {
        ensure!(!processor.lines_with(name).is_empty(), "{name} is not mentioned: {:?}", processor.lines());
    }
    Ok(())
}
