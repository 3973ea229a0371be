//! The ingest river between scripted ports.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use processor_domain::ports::{DeadLettersError, Verdict};
use processor_domain::{Delivery, DeviceState, Novelty, Outcome, Record, samples};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, counted, delivery, position, positions, stream, unavailable, undecodable};

mod marks;
mod numbers;
mod scene;

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_acknowledged_and_not_before() {
    let scene = Scene::of(vec![positions(0..3)]).knowing_no_device().storing_all();
    let (ended, story, counters) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(story, ["read 3", "commit 3", "acknowledge 3 stored"]);
    assert_eq!(counted(&counters, "processor_records_read_total", None), 3);
    assert_eq!(counted(&counters, "processor_acks_total", None), 3);
    assert_eq!(counted(&counters, "processor_records_total", Some("merged")), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_tried_again_and_nothing_is_acknowledged_meanwhile() {
    let mut scene = Scene::of(vec![positions(0..3)]).knowing_no_device();
    let story = Arc::clone(&scene.story);
    let mut attempts = 0;
    scene.store.expect_commit().returning(move |batch| {
        attempts += 1;
        story.lock().unwrap().push(format!("attempt {attempts}"));
        if attempts < 20 { Err(unavailable()) } else { Ok(vec![Verdict::Stored; batch.len()]) }
    });
    let (ended, story, counters) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(story.last().unwrap(), "acknowledge 3 stored");
    assert_eq!(story.iter().filter(|step| step.starts_with("acknowledge")).count(), 1);
    assert_eq!(counted(&counters, "processor_write_retries_total", None), 19);
}

#[tokio::test(start_paused = true)]
async fn a_refused_row_is_set_aside_and_the_rest_is_stored() {
    let mut scene = Scene::of(vec![positions(0..3)]).knowing_no_device().keeping_dead_letters();
    scene
        .store
        .expect_commit()
        .returning(|_| Ok(vec![Verdict::Stored, Verdict::Refused("no".into()), Verdict::Duplicate]));
    let (ended, story, _) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(story[1..], ["dead letters refused_by_store", "acknowledge 3 stored duplicate dead_lettered"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_position_is_acknowledged_only_when_it_is_kept() {
    let mut scene = Scene::of(vec![vec![undecodable(0)]]).knowing_no_device();
    let story = Arc::clone(&scene.story);
    let mut attempts = 0;
    scene.dead_letters.expect_keep().returning(move |letters| {
        attempts += 1;
        assert_eq!(&*letters[0].stream, "telemetry");
        story.lock().unwrap().push(format!("keep {attempts}"));
        if attempts < 3 { Err(DeadLettersError::Unavailable("full".into())) } else { Ok(()) }
    });
    let (ended, story, _) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(story, ["read 1", "keep 1", "keep 2", "keep 3", "acknowledge 1 dead_lettered"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_trimmed_while_pending_is_acknowledged_as_lost() {
    let scene = Scene::of(vec![vec![delivery(0, Record::Lost)]]).knowing_no_device();
    let (ended, story, _) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(story, ["read 1", "acknowledge 1 lost_pending"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_acknowledgement_is_tried_again() {
    let mut scene = Scene::of(vec![positions(0..1)]).knowing_no_device().storing_all();
    scene.refuse_acknowledgements = 3;
    let (ended, story, counters) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(story.iter().filter(|step| *step == "acknowledge fails").count(), 3);
    assert_eq!(counted(&counters, "processor_records_total", Some("stored")), 1);
    assert_eq!(counted(&counters, "processor_acks_total", None), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_delivered_too_often_is_set_aside_while_the_store_is_there() {
    let mut poison = positions(0..2);
    poison[1].deliveries = 11;
    let scene = Scene::of(vec![poison]).knowing_no_device().storing_all().keeping_dead_letters();
    let (ended, story, _) = scene.play().await;
    assert!(ended.is_ok());
    assert_eq!(
        story[1..],
        ["commit 1", "dead letters too_many_deliveries", "acknowledge 2 stored dead_lettered"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_delivered_too_often_is_not_blamed_for_a_store_that_is_away() {
    let mut innocent = positions(0..1);
    innocent[0].deliveries = 11;
    let mut scene = Scene::of(vec![innocent]).knowing_no_device().storing_all();
    scene.store.checkpoint();
    scene.store.expect_ping().returning(|| Err(unavailable()));
    let (ended, story, _) = scene.storing_all().play().await;
    assert!(ended.is_ok());
    assert_eq!(story[1..], ["commit 1", "acknowledge 1 stored"]);
}

#[tokio::test(start_paused = true)]
async fn unknown_devices_of_a_batch_are_recalled_in_one_query_and_only_once() {
    let mut scene = Scene::of(vec![positions(0..5), positions(0..5)]).storing_all();
    scene
        .memory
        .expect_recall()
        .times(1)
        .withf(|devices| devices.len() == 5)
        .returning(|devices| Ok(devices.iter().map(|device| (*device, DeviceState::default())).collect()));
    let (ended, ..) = scene.play().await;
    assert!(ended.is_ok());
}

#[tokio::test(start_paused = true)]
async fn devices_of_a_batch_are_not_forgotten_for_each_other_before_they_are_judged() {
    let at_second = |second: u64, devices: &[u64]| -> Vec<Delivery> {
        let ts = samples::at("2026-05-01T10:00:00Z").plus(Duration::from_secs(second));
        let position = |device: &u64| samples::position().device(*device).at_moment(ts).build();
        devices.iter().map(|device| delivery(*device, Record::Position(position(device)))).collect()
    };
    // Room for two. First one that is remembered meets one that is not, then there are more than there is room for.
    let mut scene =
        Scene::of(vec![at_second(1, &[1, 2]), at_second(2, &[3, 1]), at_second(3, &[1, 2, 3, 4])]);
    scene.settings.device_capacity = std::num::NonZeroUsize::new(2).unwrap();
    scene.memory.expect_recall().returning(|devices| {
        let known = DeviceState::remembered(Some(samples::at("2026-05-01T10:00:00Z")), None);
        Ok(devices.iter().map(|device| (*device, known)).collect())
    });
    scene.store.expect_commit().times(3).returning(|batch| {
        assert!(batch.iter().all(|judged| judged.novelty == Novelty::Fresh), "{batch:?}");
        Ok(vec![Verdict::Stored; batch.len()])
    });
    let (ended, ..) = scene.play().await;
    assert!(ended.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_when_it_is_told_to_stop_stays_pending() {
    let mut scene = Scene::of(vec![positions(0..3)]).knowing_no_device();
    let (stop, ended) = (CancellationToken::new(), Arc::clone(&scene.story));
    let told = stop.clone();
    scene.store.expect_commit().returning(move |_| {
        told.cancel();
        Err(unavailable())
    });
    let stream = stream(std::mem::take(&mut scene.batches), Arc::clone(&scene.story), 3, 0, stop.clone());
    let ingest = scene.with_usual_settings().river(stream);
    assert!(ingest.run(stop).await.is_ok());
    assert_eq!(*ended.lock().unwrap(), ["read 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_what_is_away_is_not_stuck() {
    for memory_is_there in [true, false] {
        // Enough to fill every queue.
        let poison = std::iter::once(vec![undecodable(1)]);
        let mut scene = Scene::of(poison.chain((0..20).map(|_| positions(0..3))).collect());
        scene
            .memory
            .expect_recall()
            .returning(move |_| if memory_is_there { Ok(vec![]) } else { Err(unavailable()) });
        scene.store.expect_commit().returning(|_| Err(unavailable()));
        scene.dead_letters.expect_keep().returning(|_| Err(DeadLettersError::Unavailable("full".into())));
        let stop = CancellationToken::new();
        let stream =
            stream(std::mem::take(&mut scene.batches), Arc::clone(&scene.story), usize::MAX, 0, stop.clone());
        let ingest = scene.with_usual_settings().river(stream);
        let health = ingest.health();
        let running = tokio::spawn(ingest.run(stop.clone()));
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(health.pulses().stuck(Duration::from_mins(1)), []);
        stop.cancel();
        assert!(running.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_stops_the_river_and_is_named() {
    let mut scene = Scene::of(vec![positions(0..1)]).knowing_no_device();
    scene.store.expect_commit().returning(|_| panic!("a bug"));
    let (ended, ..) = scene.play().await;
    let error = ended.unwrap_err();
    assert!(error.task.starts_with("writer"), "{error}");
    assert!(error.how.contains("a bug"), "{error}");
}

/// What a scripted entry holds and what is to become of it.
fn fate() -> impl Strategy<Value = (Option<Verdict>, &'static str)> {
    prop_oneof![
        Just((Some(Verdict::Stored), "stored")),
        Just((Some(Verdict::Duplicate), "duplicate")),
        Just((Some(Verdict::Merged), "merged")),
        Just((Some(Verdict::Refused("no".into())), "dead_lettered")),
        Just((None, "dead_lettered")),
        Just((None, "lost_pending")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_read_has_exactly_one_outcome(batches in prop::collection::vec(prop::collection::vec(fate(), 1..20), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let mut number = 0;
        let mut verdicts = std::collections::HashMap::new();
        let script = batches.iter().map(|batch| batch.iter().map(|(verdict, outcome)| {
            number += 1;
            match (verdict, *outcome) {
                (Some(verdict), _) => {
                    verdicts.insert(samples::device(number), verdict.clone());
                    delivery(number, Record::Position(position(number)))
                }
                (None, "lost_pending") => delivery(number, Record::Lost),
                (None, _) => undecodable(number),
            }
        }).collect()).collect();
        let mut scene = Scene::of(script).knowing_no_device().keeping_dead_letters();
        scene.store.expect_commit().returning(move |batch| {
            Ok(batch.iter().map(|judged| verdicts[&judged.position.device_id].clone()).collect())
        });
        let (ended, _, counters) = runtime.block_on(scene.play());
        prop_assert!(ended.is_ok());
        let expected = |name| batches.iter().flatten().filter(|(_, outcome)| *outcome == name).count() as u64;
        let mut sum = 0;
        for outcome in Outcome::ALL {
            let count = counted(&counters, "processor_records_total", Some(outcome.name()));
            prop_assert_eq!(count, expected(outcome.name()), "{}", outcome.name());
            sum += count;
        }
        prop_assert_eq!(sum, counted(&counters, "processor_records_read_total", None));
    }
}
