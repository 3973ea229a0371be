//! What is counted.

#![expect(clippy::float_cmp, reason = "all of them are whole numbers")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use processor_domain::ports::MockRosterSource;
use processor_domain::{Roster, samples};
use processor_live::{Close, LiveSettings, Ports};

use crate::scene::{NOW, Scene, World, event, faulty, good, settings};
use crate::viewer::Watcher;

/// Every series, by its name and the value of its label if it has one.
fn series(recorder: &DebuggingRecorder) -> HashMap<String, f64> {
    let all = recorder.snapshotter().snapshot().into_vec();
    let series = all.into_iter().filter_map(|(key, _, _, value)| {
        let label = key.key().labels().next().map(|label| format!(" {}", label.value())).unwrap_or_default();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(values) => values.last().map_or(0.0, |value| value.into_inner()),
        };
        let name = key.key().name().strip_prefix("processor_")?.to_owned();
        Some((format!("{name}{label}"), value))
    });
    series.collect()
}

#[tokio::test(start_paused = true)]
async fn every_series_is_there_from_the_start_with_zero() {
    let scene = Scene::of(World::default(), settings());
    let series = series(&scene.recorder);
    let mut names: Vec<&str> = series.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "live_access_total allowed",
            "live_access_total forbidden",
            "live_access_total unknown",
            "live_auth_total known",
            "live_auth_total nobody",
            "live_auth_total unknown",
            "live_connections",
            "live_delay_seconds",
            "live_positions_total conflated",
            "live_positions_total delivered",
            "live_positions_total orphan",
            "live_subscriptions",
            "roster_age_seconds",
            "roster_devices",
        ]
    );
    assert!(series.values().all(|value| *value == 0.0), "{series:?}");
}

#[tokio::test(start_paused = true)]
async fn every_position_offered_to_a_viewer_is_delivered_or_conflated() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], LiveSettings { backlog_bytes: 300, ..settings() });
    let mut quick = Watcher::of(&scene, "quick", "a").await;
    let mut slow = Watcher::of(&scene, "slow", "a").await;
    for at in 1..=30 {
        scene.publish(vec![good(1, 2 * at), good(1, 2 * at + 1), faulty(2, at), good(2, at), good(3, at)]);
        quick.read().await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    slow.read().await;
    let series = series(&scene.recorder);
    // Of each batch four are offered, to each of two; the quick one got two frames' worth of each.
    let (delivered, conflated) =
        (series["live_positions_total delivered"], series["live_positions_total conflated"]);
    assert_eq!(delivered + conflated, f64::from(30 * 4 * 2));
    assert_eq!(delivered, f64::from(30 * 2 + 2));
    assert_eq!(series["live_positions_total orphan"], 30.0);
    assert_eq!(series["live_connections"], 2.0);
    assert_eq!(series["live_subscriptions"], 2.0);
    assert_eq!(series["roster_devices"], 2.0);
    assert_eq!(series["live_auth_total known"], 2.0);
    assert_eq!(series["live_access_total allowed"], 2.0);
}

#[tokio::test(start_paused = true)]
async fn the_delay_is_that_of_the_oldest_position_of_a_frame_until_it_is_written() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], settings());
    let ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, NOW - 3), good(2, NOW - 5)]);
    ann.session.next().await;
    assert_eq!(series(&scene.recorder)["live_delay_seconds"], 0.0, "not written yet");
    ann.session.written();
    assert_eq!(series(&scene.recorder)["live_delay_seconds"], 5.0);
    ann.session.written();
}

#[tokio::test(start_paused = true)]
async fn what_is_not_news_has_no_delay() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(2, 1)]);
    scene.world(|world| {
        world.stored.insert(samples::device(3), good(3, 1));
        world.roster = Some([(1, "a"), (2, "a"), (3, "a")].into());
    });
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(2, 1), (3, 1)]);
    assert_eq!(series(&scene.recorder)["live_delay_seconds"], 0.0);
}

#[tokio::test(start_paused = true)]
async fn gauges_go_back_when_viewers_go() {
    let scene = Scene::with(&[(1, "a")], settings());
    let _ann = Watcher::of(&scene, "ann", "a").await;
    let bob = Watcher::of(&scene, "bob", "a").await;
    let carol = Watcher::of(&scene, "carol", "a").await;
    drop(bob);
    carol.session.close(Close::BadMessage);
    let series = series(&scene.recorder);
    assert_eq!(series["live_connections"], 2.0, "one that is closed is there until it is dropped");
    assert_eq!(series["live_subscriptions"], 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_stops_the_river_and_is_named_and_the_viewers_are_told() {
    let mut source = MockRosterSource::new();
    let mut read = 0;
    source.expect_read_roster().returning(move || {
        read += 1;
        assert!(read < 3, "a bug");
        Ok([(samples::device(1), event("a"))].into_iter().collect::<Roster>())
    });
    let scene =
        Scene::between(World::default(), settings(), |ports| Ports { roster: Arc::new(source), ..ports });
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    assert_eq!(ann.closed_within(Duration::from_mins(1)).await, Close::GoingAway);
    let ended = scene.end().await.unwrap_err();
    assert_eq!(ended.task, "roster");
    assert!(ended.how.contains("a bug"), "{ended}");
}
