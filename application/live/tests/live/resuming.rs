//! Cut off and back again.

use std::time::Duration;

use processor_live::{Epoch, LiveSettings, Since};

use crate::scene::{Scene, good, settings};
use crate::viewer::Watcher;

async fn publish_apart(scene: &Scene, seconds: std::ops::RangeInclusive<u64>) {
    for at in seconds {
        scene.publish(vec![good(1, at)]);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_back_in_time_gets_every_frame_it_missed() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    publish_apart(&scene, 1..=3).await;
    ann.read_all().await;
    let Watcher { session, mut views, .. } = ann;
    drop(session);
    publish_apart(&scene, 4..=9).await;
    let mut ann = Watcher::back(&scene, "ann", "a", views.remove("a").unwrap()).await;
    ann.read_all().await;
    assert!(ann.view("a").recovered);
    assert_eq!((ann.view("a").frames, ann.view("a").conflated), (9, 0));
    assert_eq!(ann.map("a"), [(1, 9)]);
}

#[tokio::test(start_paused = true)]
async fn whoever_missed_nothing_is_recovered_with_nothing() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    publish_apart(&scene, 1..=1).await;
    ann.read_all().await;
    let view = ann.view("a").clone();
    let ann = Watcher::back(&scene, "ann", "a", view).await;
    assert!(ann.view("a").recovered);
    assert_eq!(ann.view("a").frames, 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_missed_more_than_is_kept_gets_the_whole_picture_and_is_told_so() {
    let scene = Scene::with(&[(1, "a")], LiveSettings { recent_frames: 5, ..settings() });
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    publish_apart(&scene, 1..=1).await;
    ann.read_all().await;
    let view = ann.view("a").clone();
    drop(ann);
    publish_apart(&scene, 2..=6).await;
    let within = Watcher::back(&scene, "ann", "a", view.clone()).await;
    assert!(within.view("a").recovered);
    publish_apart(&scene, 7..=7).await;
    let beyond = Watcher::back(&scene, "ann", "a", view).await;
    assert!(!beyond.view("a").recovered);
    assert_eq!(beyond.view("a").seq, 7);
    assert_eq!(beyond.map("a"), [(1, 7)]);
}

#[tokio::test(start_paused = true)]
async fn numbers_of_another_life_or_never_told_are_not_believed() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    publish_apart(&scene, 1..=3).await;
    ann.read_all().await;
    let Since { epoch, seq } = ann.view("a").since();
    let other = Epoch::parse("0123456789abcdef").unwrap();
    for since in [
        Since { epoch, seq: seq + 1 },
        Since { epoch, seq: u64::MAX },
        Since { epoch: other, seq },
        Since { epoch: other, seq: 0 },
    ] {
        ann.subscribe("a", Some(since)).await;
        assert!(!ann.view("a").recovered, "{since:?}");
        assert_eq!(ann.map("a"), [(1, 3)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_waits_for_its_viewers_for_a_while_and_no_longer() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    publish_apart(&scene, 1..=1).await;
    ann.read_all().await;
    let mut view = ann.view("a").clone();
    drop(ann);
    tokio::time::sleep(Duration::from_mins(4)).await;
    publish_apart(&scene, 2..=2).await;
    let mut ann = Watcher::back(&scene, "ann", "a", view).await;
    ann.read_all().await;
    assert!(ann.view("a").recovered);
    view = ann.view("a").clone();
    drop(ann);
    tokio::time::sleep(Duration::from_mins(6)).await;
    let ann = Watcher::back(&scene, "ann", "a", view.clone()).await;
    assert!(!ann.view("a").recovered);
    assert_ne!(ann.view("a").epoch, view.epoch);
    assert_eq!(ann.map("a"), [(1, 2)]);
}
