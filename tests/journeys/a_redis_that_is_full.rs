use anyhow::{anyhow, ensure};
use processor_tests::{Account, Sample, Signal, eventually, records};

use crate::{Outcomes, SOON, Stage, until_counted};

/// It takes nothing more, dead letters neither; what is in it is read and acknowledged all the same.
#[tokio::test(flavor = "multi_thread")]
async fn is_drained_and_its_dead_letters_go_into_the_database() -> anyhow::Result<()> {
    let stage = Stage::with_its_own_redis().await?;
    let mut ledger = stage.ledger();
    let mut redis = stage.redis.connection().await?;
    let mut processor = stage.processor().start().await?;
    processor.until_ready(SOON).await;
    processor.signal(Signal::SIGTERM)?;
    ensure!(processor.wait_exit(SOON).await? == 0);

    let poison = |name: &str| Sample::undecodable(format!("poison {name}").into_bytes());
    let mixed = records(100, 20).enumerate().flat_map(|(number, sample)| {
        let bad = (number % 100 == 0).then(|| poison(&number.to_string()));
        [Some(sample), bad].into_iter().flatten()
    });
    ledger.publish(&mut redis, mixed).await?;
    stage.ask::<()>("CONFIG SET maxmemory-policy noeviction").await?;
    stage.ask::<()>("CONFIG SET maxmemory 1000000").await?;
    let refused = ledger.publish(&mut redis, [poison("that does not fit")]).await;
    ensure!(refused.is_err(), "the server is not full");

    let processor = stage.processor().start().await?;
    let account = stage.settled(&ledger).await;
    let expected = Account { given: 2_020, rows: 2_000, dead_letters: 20, ..Account::default() };
    ensure!(account == expected, "{account:?}");
    until_counted(&processor, Outcomes { stored: 2_000, dead_lettered: 20, ..Outcomes::default() }).await;
    ensure!(in_the_table(&stage).await? == 20);

    stage.ask::<()>("CONFIG SET maxmemory 0").await?;
    ledger.publish(&mut redis, [poison("that fits")]).await?;
    let account = stage.settled(&ledger).await;
    ensure!(account.dead_letters == 21, "{account:?}");
    ensure!(in_the_table(&stage).await? == 20, "the stream is where dead letters are kept if it can");
    eventually(SOON, "the dead letters that wait are counted", async || {
        let metrics = processor.metrics().await?;
        let waiting =
            ["stream", "table"].map(|place| metrics.value("processor_dead_letters", &[("place", place)]));
        if waiting == [Some(1.0), Some(20.0)] { Ok(()) } else { Err(anyhow!("{waiting:?}")) }
    })
    .await;
    Ok(())
}

async fn in_the_table(stage: &Stage) -> anyhow::Result<i64> {
    let sql = format!("SELECT count(*) FROM dead_letters WHERE stream = '{}'", stage.stream);
    Ok(stage.query::<i64>(&sql).await?.into_iter().sum())
}
