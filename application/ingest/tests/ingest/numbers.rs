use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use processor_domain::ports::{DeadLetterQueueError, MockDeadLetterQueue, StoreError, StoreFailure, Verdict};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, counted, positions, stream};

#[tokio::test(start_paused = true)]
async fn every_kind_of_failed_write_is_there_with_zero() {
    let (ended, _, counters) = Scene::of(vec![]).play().await;
    assert!(ended.is_ok());
    for kind in StoreFailure::ALL {
        assert_eq!(counted(&counters, "processor_write_failures_total", Some(kind.name())), 0, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_is_counted_by_its_kind() {
    let mut scene = Scene::of(vec![positions(0..3)]).knowing_no_device();
    let mut failures = StoreFailure::ALL.into_iter();
    scene.store.expect_commit().returning(move |batch| match failures.next() {
        Some(kind) => Err(StoreError::Unavailable { kind, cause: "for a while".into() }),
        None => Ok(vec![Verdict::Stored; batch.len()]),
    });
    let (ended, _, counters) = scene.play().await;
    assert!(ended.is_ok());
    for kind in StoreFailure::ALL {
        assert_eq!(counted(&counters, "processor_write_failures_total", Some(kind.name())), 1, "{kind}");
    }
}

/// How many dead letters there are by the metrics, by where they are.
fn dead_letters(recorder: &DebuggingRecorder) -> BTreeMap<String, String> {
    let all = recorder.snapshotter().snapshot().into_vec();
    let gauges = all.into_iter().filter_map(|(key, _, _, value)| {
        let place = key.key().labels().next().map(|label| label.value().to_owned())?;
        let DebugValue::Gauge(value) = value else { return None };
        (key.key().name() == "processor_dead_letters").then(|| (place, value.to_string()))
    });
    gauges.collect()
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_wait_are_counted_where_they_are() {
    let mut scene = Scene::of(vec![]);
    let (mut on_stream, mut in_table) = (MockDeadLetterQueue::new(), MockDeadLetterQueue::new());
    let mut counts = [3, 2].into_iter();
    on_stream.expect_count().withf(|stream, _| stream == "telemetry").returning(move |_, _| {
        match counts.next() {
            Some(count) => Ok(count),
            None => Err(DeadLetterQueueError::Unavailable("gone".into())),
        }
    });
    in_table.expect_count().returning(|_, most| Ok(most));
    scene.dead_letter_queues = [on_stream, in_table];
    let (recorder, stop) = (DebuggingRecorder::new(), CancellationToken::new());
    let stream = stream(vec![], Arc::clone(&scene.story), usize::MAX, 0, stop.clone());
    let ingest = metrics::with_local_recorder(&recorder, || scene.with_usual_settings().river(stream));
    let running = tokio::spawn(ingest.run(stop.clone()));

    // It is looked every five seconds; what is not known is not a number.
    for on_stream in ["3", "2", "NaN", "NaN"] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let expected = [("stream", on_stream), ("table", "10000")];
        assert_eq!(
            dead_letters(&recorder),
            expected.map(|(place, count)| (place.into(), count.into())).into()
        );
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    stop.cancel();
    assert!(running.await.unwrap().is_ok());
}
