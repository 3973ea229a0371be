use std::time::Duration;

use anyhow::ensure;
use processor_tests::{Account, Processor, Proxy, Signal, eventually, records};

use crate::counted::{count_of, until_count};
use crate::{Load, SOON, Stage};

/// How long a stop may take: less than what container engines allow for.
const STOP_LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn under_load_ends_with_0_and_leaves_nothing_pending() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let load = Load::on(&stage);
    for _ in 0..3 {
        let mut processor = stage.processor().start().await?;
        until_count(&processor, "processor_acks_total", |acknowledged| acknowledged > 0).await;
        processor.signal(Signal::SIGTERM)?;
        let code = processor.wait_exit(STOP_LIMIT).await?;
        ensure!(code == 0, "ended with {code}");
        let pending = stage.pending().await?;
        ensure!(pending == 0, "{pending} entries are pending after a stop");
    }
    let processor = stage.processor().start().await?;
    let ledger = load.end().await?;
    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    let again = processor.metrics().await?.value("processor_records_total", &[("outcome", "duplicate")]);
    ensure!(again == Some(0.0), "{again:?} were written before and not acknowledged");
    Ok(())
}

/// What cannot be written in the time of a stop stays pending, for the next life.
#[tokio::test(flavor = "multi_thread")]
async fn is_over_in_time_when_the_database_does_not_answer() -> anyhow::Result<()> {
    let stuck = Stuck::with(&[("STOP_TIMEOUT_MS", "1500")]).await?;
    let Stuck { stage, ledger, network, mut processor } = stuck;
    processor.signal(Signal::SIGTERM)?;
    let code = processor.wait_exit(STOP_LIMIT).await?;
    ensure!(code == 0, "ended with {code}");
    ensure!(processor.lines_with("not all was written in time").len() == 1, "{:?}", processor.lines());
    ensure!(stage.pending().await? == 100);

    network.unblock();
    let _next = stage.processor().start().await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 200, rows: 200, ..Account::default() }, "{account:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn is_over_at_once_when_it_is_asked_for_twice() -> anyhow::Result<()> {
    let stuck = Stuck::with(&[("STOP_TIMEOUT_MS", "600000")]).await?;
    let Stuck { stage, ledger, network, mut processor } = stuck;
    processor.signal(Signal::SIGTERM)?;
    eventually(SOON, "the program stops", async || match processor.lines_with("stopping: ").len() {
        1 => Ok(()),
        other => Err(other),
    })
    .await;
    processor.signal(Signal::SIGINT)?;
    let code = processor.wait_exit(STOP_LIMIT).await?;
    ensure!(code == 130, "ended with {code}");

    network.unblock();
    let _next = stage.processor().start().await?;
    let account = stage.settled(&ledger).await;
    ensure!(account == Account { given: 200, rows: 200, ..Account::default() }, "{account:?}");
    Ok(())
}

/// A program that waits for the answer to a commit, on a network that does not bring it.
struct Stuck {
    stage: Stage,
    ledger: processor_tests::Ledger,
    network: Proxy,
    processor: Processor,
}

impl Stuck {
    async fn with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let stage = Stage::new().await?;
        let mut ledger = stage.ledger();
        let mut redis = stage.redis.connection().await?;
        let network = Proxy::to(&stage.database_url)?;
        let mut builder = stage.processor().env("DATABASE_URL", network.url());
        for (name, value) in settings {
            builder = builder.env(name, value);
        }
        let processor = builder.start().await?;
        ledger.publish(&mut redis, records(100, 1)).await?;
        stage.settled(&ledger).await;
        let before = count_of(&processor.metrics().await?, "processor_write_batch_size_count").unwrap_or(0);
        network.block();
        ledger.publish(&mut redis, records(100, 2).skip(100)).await?;
        stage.until_pending(|pending| pending == 100).await;
        until_count(&processor, "processor_write_batch_size_count", |begun| begun > before).await;
        Ok(Self { stage, ledger, network, processor })
    }
}
