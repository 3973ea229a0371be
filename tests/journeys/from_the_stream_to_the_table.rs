use anyhow::ensure;
use processor_tests::{Account, Processor, RedisServer, Sample, Signal, TimescaleServer, records, setting};

use crate::{Outcomes, SOON, Stage, until_counted};

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_in_the_table_once_or_a_dead_letter_and_the_counters_say_so() -> anyhow::Result<()> {
    travel(&Stage::new().await?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_on_valkey() -> anyhow::Result<()> {
    let image = setting("PROCESSOR_TEST_VALKEY_IMAGE").unwrap_or_else(|| "processor-test/valkey:8".into());
    let valkey = RedisServer::start_image(&image, RedisServer::DURABLE).await?;
    let processor = travel(&Stage::on(valkey, TimescaleServer::start().await?).await?).await?;
    let warnings = warnings(&processor);
    ensure!(warnings.is_empty(), "{warnings:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_on_plain_postgresql_with_one_warning() -> anyhow::Result<()> {
    let image =
        setting("PROCESSOR_TEST_POSTGRES_IMAGE").unwrap_or_else(|| "processor-test/postgres:17".into());
    let redis = RedisServer::start_with(RedisServer::DURABLE).await?;
    let postgres = TimescaleServer::start_image(&image, &[]).await?;
    let processor = travel(&Stage::on(redis, postgres).await?).await?;
    let warnings = warnings(&processor);
    ensure!(warnings.len() == 1 && warnings[0].contains("positions is a plain table"), "{warnings:#?}");
    Ok(())
}

/// Some of it was there before the program, some comes while it runs. Returns the program, which has ended.
async fn travel(stage: &Stage) -> anyhow::Result<Processor> {
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let poison = [&b"poison"[..], br#"{"device_id":"1"}"#].map(Sample::undecodable);
    ledger.publish(&mut redis, records(100, 50).chain(poison)).await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    ledger.publish(&mut redis, records(100, 100).skip(4_900)).await?;

    let account = stage.settled(&ledger).await;
    let expected = Account { given: 10_102, rows: 10_000, repeats: 100, dead_letters: 2, lost: 0 };
    ensure!(account == expected, "{account:?}");
    let expected = Outcomes { stored: 10_000, duplicate: 100, dead_lettered: 2, ..Outcomes::default() };
    until_counted(&processor, expected).await;

    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);
    Ok(processor)
}

/// What it warned of, other than of the poison and of the live socket that it does without here.
fn warnings(processor: &Processor) -> Vec<String> {
    let mut warnings = ["\"WARN\"", "\"ERROR\""].map(|level| processor.lines_with(level)).concat();
    warnings.retain(|line| !line.contains("set a record aside") && !line.contains("DIRECTUS_URL"));
    warnings
}
