use processor_tests::{Exposition, Processor, eventually};

use crate::SOON;

/// What one life of the program has counted of records, by what became of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) stored: u64,
    pub(crate) duplicate: u64,
    pub(crate) merged: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) lost_pending: u64,
}

impl Outcomes {
    fn of(metrics: &Exposition) -> Option<Self> {
        let count =
            |outcome| metrics.value("processor_records_total", &[("outcome", outcome)]).and_then(whole);
        Some(Self {
            stored: count("stored")?,
            duplicate: count("duplicate")?,
            merged: count("merged")?,
            dead_lettered: count("dead_lettered")?,
            lost_pending: count("lost_pending")?,
        })
    }
}

/// Waits until the program has counted exactly this, and as many entries read as there are records in it.
pub(crate) async fn until_counted(processor: &Processor, expected: Outcomes) {
    let Outcomes { stored, duplicate, merged, dead_lettered, lost_pending } = expected;
    let read = stored + duplicate + merged + dead_lettered + lost_pending;
    let expected = (Some(expected), Some(read));
    eventually(SOON, &format!("the counters say {expected:?}"), async || {
        let metrics = processor.metrics().await?;
        let counted = (Outcomes::of(&metrics), count_of(&metrics, "processor_records_read_total"));
        if counted == expected { Ok(()) } else { Err(anyhow::anyhow!("{counted:?}")) }
    })
    .await;
}

/// Waits until a metric, over all its series, is a count that is `wanted`, and returns it.
pub(crate) async fn until_count(processor: &Processor, name: &str, wanted: impl Fn(u64) -> bool) -> u64 {
    eventually(SOON, &format!("{name} is as expected"), async || {
        match count_of(&processor.metrics().await?, name) {
            Some(count) if wanted(count) => Ok(count),
            other => Err(anyhow::anyhow!("{other:?}")),
        }
    })
    .await
}

/// A metric, over all its series, as the count that it is.
pub(crate) fn count_of(metrics: &Exposition, name: &str) -> Option<u64> {
    metrics.sum(name).and_then(whole)
}

/// By its digits, for there is no conversion that refuses what is not whole.
fn whole(value: f64) -> Option<u64> {
    value.to_string().parse().ok()
}
