use anyhow::ensure;
use processor_tests::{Account, records};

use crate::counted::until_count;
use crate::{HEALED, SOON, Stage};

/// Under a read that waits: by hand, with its stream, and with all that the server had.
#[tokio::test(flavor = "multi_thread")]
async fn is_created_anew_without_a_restart_and_without_a_flood_of_lines() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_redis().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 1)).await?;
    stage.settled(&ledger).await;

    let mut sent = 100;
    for (times, accident) in (1..).zip(["XGROUP DESTROY $stream $group", "DEL $stream", "FLUSHALL"]) {
        stage.until_a_read_waits().await;
        stage.ask::<redis::Value>(accident).await?;
        let seconds = u32::try_from(times)? + 1;
        ledger.publish(&mut redis, records(100, seconds).skip(sent)).await?;
        sent += 100;
        let account = stage.settled_within(HEALED, &ledger).await;
        ensure!(account == Account { given: sent, rows: sent, ..Account::default() }, "{account:?}");
        until_count(&processor, "processor_group_recreated_total", |count| count == times).await;
    }
    let loud = ["\"WARN\"", "\"ERROR\""].map(|level| processor.lines_with(level)).concat();
    let about_groups = loud.iter().filter(|line| line.contains("the group was gone")).count();
    ensure!(about_groups == 3 && loud.len() < 10, "{loud:#?}");
    Ok(())
}
