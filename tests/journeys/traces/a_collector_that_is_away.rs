use std::time::Duration;

use anyhow::ensure;
use processor_tests::{Account, Collector, ProcessorBuilder, Signal};

use super::traced;
use crate::counted::until_count;
use crate::{Load, SOON, Stage};

/// How long a stop may take: less than what container engines allow for.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Few spans wait, and few are sent at once, so that it soon comes to the worst; and there is one processor.
fn hard_pressed(builder: ProcessorBuilder) -> ProcessorBuilder {
    builder
        .env("OTEL_BSP_MAX_QUEUE_SIZE", "8")
        .env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
        .env("TOKIO_WORKER_THREADS", "1")
}

/// Runs under load until the metric says that spans have become `outcome`, and stops: all records are stored and
/// nothing is pending. Returns what was logged of the collector.
async fn runs_all_the_same(collector_url: &str, outcome: &str) -> anyhow::Result<Vec<String>> {
    let stage = Stage::new().await?;
    let load = Load::on(&stage);
    let mut processor = hard_pressed(traced(stage.processor(), collector_url)).start().await?;
    processor_tests::eventually(SOON, &format!("spans are {outcome}"), async || {
        let metrics = processor.metrics().await?;
        match metrics.value("processor_spans_total", &[("outcome", outcome)]) {
            Some(spans) if spans >= 20.0 => Ok(()),
            other => Err(anyhow::anyhow!("{other:?}")),
        }
    })
    .await;
    processor.until_ready(SOON).await;
    until_count(&processor, "processor_acks_total", |acknowledged| acknowledged > 0).await;
    processor.signal(Signal::SIGTERM)?;
    let code = processor.wait_exit(STOP_LIMIT).await?;
    ensure!(code == 0, "ended with {code}");
    ensure!(stage.pending().await? == 0, "entries are pending after a stop");
    let ledger = load.end().await?;
    let _next = stage.processor().start().await?;
    let account = stage.settled(&ledger).await;
    let given = ledger.given();
    ensure!(account == Account { given, rows: given, ..Account::default() }, "{account:?}");
    Ok(processor.lines_with("the collector "))
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_spans_and_one_line_of_the_log() -> anyhow::Result<()> {
    // There was one, so nobody else has the port yet.
    let url = Collector::start().await?.url().to_owned();
    let lines = runs_all_the_same(&url, "failed").await?;
    ensure!(lines.len() == 1 && lines[0].contains("takes no spans"), "{lines:?}");
    Ok(())
}

/// It takes the connection and what is sent, and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn though_it_seems_to_be_there_holds_up_neither_the_work_nor_the_stop() -> anyhow::Result<()> {
    let collector = Collector::silent().await?;
    let lines = runs_all_the_same(collector.url(), "dropped").await?;
    ensure!(collector.exports() >= 1, "nothing was sent");
    ensure!(lines.iter().filter(|line| line.contains("last spans")).count() == 1, "{lines:?}");
    Ok(())
}
