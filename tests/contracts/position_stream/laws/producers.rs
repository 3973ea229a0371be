use anyhow::ensure;
use processor_domain::TraceParent;
use processor_tests::records;

use super::super::StreamFixture;
use super::take;

/// As often as it is delivered.
pub(in super::super) async fn the_trace_of_a_producer_is_delivered_and_one_that_is_malformed_is_not(
    fixture: &impl StreamFixture,
) -> anyhow::Result<()> {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = [good, "00-no-trace-01", &"f".repeat(70_000), ""];
    for (sample, traceparent) in records(4, 1).zip(sent) {
        fixture.append_traced(&sample.payload, traceparent).await?;
    }
    for life in ["first", "second"] {
        let stream = fixture.open("one").await?;
        let received = take(&stream, sent.len()).await?;
        let found: Vec<_> = received.iter().map(|delivery| delivery.trace_parent).collect();
        ensure!(found == [TraceParent::parse(good.as_bytes()), None, None, None], "{life}: {found:?}");
    }
    Ok(())
}
