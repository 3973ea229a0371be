use anyhow::{Context, ensure};
use processor_tests::{Collector, Proxy, Sample, Signal, SpanSeen, draw, records};

use super::{span, traced, until_there_are};
use crate::counted::until_count;
use crate::{SOON, Stage};

/// The spans that there are of a batch whose records are all stored.
const OF_A_BATCH: [&str; 4] = ["ingest.batch", "ingest.judge", "ingest.commit", "ingest.acknowledge"];

/// Puts records onto the stream at once, so that they are one batch, each with the `traceparent` that goes with it.
async fn publish(
    stage: &Stage,
    records: impl Iterator<Item = Sample>,
    traceparents: &[Option<String>],
) -> anyhow::Result<()> {
    let mut commands = redis::pipe();
    commands.atomic();
    for (record, traceparent) in records.zip(traceparents) {
        let command = commands.cmd("XADD").arg(&stage.stream).arg("*").arg("payload").arg(&*record.payload);
        if let Some(traceparent) = traceparent {
            command.arg("traceparent").arg(traceparent);
        }
        command.arg("tracestate").arg("vendor=of-the-sender").ignore();
    }
    let () = commands.query_async(&mut stage.redis.connection().await?).await?;
    Ok(())
}

fn producer(number: u8, flags: &str) -> String {
    format!("00-{number:032x}-{number:016x}-{flags}")
}

/// Also draws the trace: `docs/tracing.md` shows what this writes.
#[tokio::test(flavor = "multi_thread")]
async fn is_a_trace_of_its_own_that_points_back_at_its_producers() -> anyhow::Result<()> {
    let (stage, collector) = (Stage::new().await?, Collector::start().await?);
    // Five records, of two producers, one of which sent no good traceparent with one of them.
    let traceparents = [
        Some(producer(1, "01")),
        Some(producer(2, "01")),
        Some(producer(2, "01")),
        Some("00-no".into()),
        None,
    ];
    publish(&stage, records(5, 1), &traceparents).await?;
    let processor = traced(stage.processor(), collector.url())
        .env("OTEL_SERVICE_NAME", "of-a-rally")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,note=a%2Cb")
        .start()
        .await?;
    let spans = until_there_are(&collector, &OF_A_BATCH).await;

    let batch = span(&spans, "ingest.batch")?;
    println!("{}", draw(&spans, batch));
    ensure!(batch.parent.is_none() && batch.kind == "consumer", "{batch:#?}");
    ensure!(batch.links == [1, 2].map(|number| format!("{number:032x}-{number:016x}")), "{:?}", batch.links);
    let expected = [
        ("messaging.system", "redis"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", &stage.stream),
        ("messaging.consumer.group.name", "processor"),
        ("messaging.batch.message_count", "5"),
        ("ingest.stored", "5"),
        ("ingest.reclaimed", "false"),
    ];
    for (name, value) in expected {
        ensure!(batch.attribute(name) == value, "{name} is {:?}", batch.attribute(name));
    }
    let resource = |name: &str| batch.resource.get(name).map(String::as_str);
    ensure!(resource("service.name") == Some("of-a-rally"), "{:?}", batch.resource);
    ensure!(resource("service.instance.id") == Some("processor-1"), "{:?}", batch.resource);
    ensure!(resource("deployment.environment.name") == Some("test"), "{:?}", batch.resource);
    ensure!(resource("note") == Some("a,b"), "{:?}", batch.resource);
    ensure!(resource("telemetry.sdk.name") == Some("opentelemetry"), "{:?}", batch.resource);

    let (commit, acknowledge) = (span(&spans, "ingest.commit")?, span(&spans, "ingest.acknowledge")?);
    for part in [span(&spans, "ingest.judge")?, commit, acknowledge] {
        ensure!(part.is_part_of(batch), "{part:#?}");
        ensure!(part.began >= batch.began && part.ended <= batch.ended, "{part:#?} is not within {batch:#?}");
    }
    ensure!(commit.kind == "client" && commit.events.is_empty() && !commit.failed, "{commit:#?}");
    let expected = [
        ("db.system.name", "postgresql"),
        ("db.collection.name", "positions"),
        ("db.operation.name", "INSERT"),
        ("db.operation.batch.size", "5"),
        ("ingest.stored", "5"),
        ("ingest.attempts", "1"),
    ];
    for (name, value) in expected {
        ensure!(commit.attribute(name) == value, "{name} is {:?}", commit.attribute(name));
    }
    ensure!(acknowledge.attribute("messaging.operation.type") == "settle", "{acknowledge:#?}");
    ensure!(!collector.was_told("of-the-sender"), "what a sender says beyond its traceparent is passed on");
    until_count(&processor, "processor_spans_total", |spans| spans >= 4).await;
    Ok(())
}

/// However many producers there are, and whatever they send.
#[tokio::test(flavor = "multi_thread")]
async fn points_at_32_producers_at_most_and_takes_no_orders_from_them() -> anyhow::Result<()> {
    let (stage, collector) = (Stage::new().await?, Collector::start().await?);
    let mut traceparents: Vec<_> = (1..=100).map(|number| Some(producer(number, "00"))).collect();
    traceparents.extend([String::new(), "f".repeat(100_000), "\u{0}é".to_owned()].map(Some));
    traceparents.push(Some(producer(200, "01")));
    publish(&stage, records(104, 1), &traceparents).await?;
    let mut processor = traced(stage.processor(), collector.url()).start().await?;
    let spans = until_there_are(&collector, &OF_A_BATCH).await;
    let batch = span(&spans, "ingest.batch")?;
    ensure!(batch.links.len() == 32, "{:?}", batch.links);
    ensure!(batch.links[0] == format!("{:032x}-{:016x}", 200, 200), "the one that was recorded is first");
    ensure!(stage.rows().await? == 104);
    processor.signal(Signal::SIGTERM)?;
    processor.wait_exit(SOON).await?;

    // All of them say that their traces are recorded. Here none is, for that is how it is set.
    let before = collector.exports();
    publish(&stage, records(104, 2).skip(104), &vec![Some(producer(1, "01")); 104]).await?;
    let builder = traced(stage.processor(), collector.url())
        .env("OTEL_TRACES_SAMPLER", "traceidratio")
        .env("OTEL_TRACES_SAMPLER_ARG", "0");
    let mut processor = builder.start().await?;
    until_count(&processor, "processor_acks_total", |acknowledged| acknowledged == 104).await;
    processor.signal(Signal::SIGTERM)?;
    let code = processor.wait_exit(SOON).await?;
    ensure!(code == 0 && collector.exports() == before, "{code}, {} exports", collector.exports() - before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_of_every_attempt_at_a_commit_and_the_log_tells_which_trace_it_was() -> anyhow::Result<()> {
    let (stage, collector) = (Stage::new().await?, Collector::start().await?);
    let network = Proxy::to(&stage.database_url)?;
    let builder = traced(stage.processor(), collector.url()).env("DATABASE_URL", network.url());
    let processor = builder.start().await?;
    // What is known of the devices needs not be asked for any more.
    publish(&stage, records(3, 1), &[None, None, None]).await?;
    until_count(&processor, "processor_acks_total", |acknowledged| acknowledged == 3).await;
    network.refuse().await;
    network.cut();
    publish(&stage, records(3, 2).skip(3), &[None, None, None]).await?;
    until_count(&processor, "processor_write_retries_total", |retries| retries >= 2).await;
    network.accept().await?;
    let both = ["ingest.acknowledge", "ingest.batch"];
    let there_are_both = |spans: &[SpanSeen]| {
        both.iter().all(|name| spans.iter().filter(|span| span.name == *name).count() == 2)
    };
    let spans = collector.until(SOON, there_are_both).await;

    let again = |span: &&SpanSeen| span.name == "ingest.commit" && span.attribute("ingest.attempts") != "1";
    let commit = spans.iter().find(again).context("no commit was tried again")?;
    let attempts: usize = commit.attribute("ingest.attempts").parse()?;
    ensure!(attempts >= 3 && commit.events == vec!["retry"; attempts - 1], "{commit:#?}");
    ensure!(commit.attribute("ingest.stored") == "3" && !commit.failed, "{commit:#?}");
    // Of the marks, which belong to no trace, it is said as well.
    let lines = processor.lines_with(r#""message":"the store is unavailable"#);
    let of_it = |line: &String| line.contains(&commit.trace) && line.contains(&commit.id);
    ensure!(lines.iter().any(of_it), "{lines:#?} are not of {commit:#?}");
    Ok(())
}
