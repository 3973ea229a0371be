use anyhow::ensure;

use crate::{SOON, Stage};

/// The first read waits for entries, longer than anybody waits for readiness.
#[tokio::test(flavor = "multi_thread")]
async fn is_ready_before_the_first_read_is_answered() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let processor = stage.processor().env("REDIS_BLOCK_MS", "600000").start().await?;
    processor.until_ready(SOON).await;
    let (status, body) = processor.get("/healthz").await?;
    ensure!((status, body.as_str()) == (200, r#"{"status":"alive"}"#), "{status} {body}");
    Ok(())
}
