//! What reaches whom, and how.

use std::time::Duration;

use futures::future::join_all;
use processor_domain::samples;
use processor_live::LiveSettings;

use crate::scene::{Scene, faulty, good, second, settings};
use crate::viewer::{Watcher, unsubscribe};

#[tokio::test(start_paused = true)]
async fn a_position_reaches_those_who_watch_an_event_of_its_device_and_nobody_else() {
    let scene = Scene::with(&[(1, "a"), (1, "b"), (2, "b")], settings());
    let (mut ann, mut bob) = (Watcher::of(&scene, "ann", "a").await, Watcher::of(&scene, "bob", "b").await);
    scene.publish(vec![good(1, 1), good(2, 1), good(3, 1)]);
    ann.read_all().await;
    bob.read_all().await;
    assert_eq!(ann.map("a"), [(1, 1)]);
    assert_eq!(bob.map("b"), [(1, 1), (2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_first_is_told_at_once_and_what_comes_within_a_tick_in_one_frame_for_all() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], settings());
    let mut watchers = Vec::new();
    for _ in 0..20 {
        watchers.push(Watcher::of(&scene, "ann", "a").await);
    }
    let began = tokio::time::Instant::now();
    scene.publish(vec![good(1, 1)]);
    watchers[0].read().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    scene.publish(vec![good(1, 2), good(2, 2)]);
    scene.publish(vec![good(1, 3)]);
    watchers[0].read().await;
    let elapsed = began.elapsed();
    assert!(elapsed >= Duration::from_millis(100) && elapsed < Duration::from_millis(110), "{elapsed:?}");
    for watcher in &mut watchers {
        watcher.read_all().await;
        assert_eq!(watcher.map("a"), [(1, 3), (2, 2)]);
        assert_eq!(watcher.view("a").frames, 2);
    }
    assert_eq!(scene.encoded().frames, 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_tick_every_batch_of_the_feed_is_told_as_it_comes() {
    let scene = Scene::with(&[(1, "a")], LiveSettings { tick: Duration::ZERO, ..settings() });
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    let began = tokio::time::Instant::now();
    for at in 1..=10 {
        scene.publish(vec![good(1, at)]);
        ann.read().await;
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(ann.view("a").frames, 10);
}

#[tokio::test(start_paused = true)]
async fn an_older_position_moves_no_marker_and_a_faulty_one_is_told_and_moves_none() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, 10)]);
    ann.read_all().await;
    scene.publish(vec![good(1, 9), good(1, 10), faulty(1, 8)]);
    scene.publish(vec![faulty(1, 11)]);
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 10)]);
    assert_eq!(ann.view("a").faulty, [(samples::device(1), second(11))]);
    let newcomer = Watcher::of(&scene, "bob", "a").await;
    assert_eq!(newcomer.map("a"), [(1, 10)]);
}

#[tokio::test(start_paused = true)]
async fn the_first_picture_is_what_the_store_has_or_the_feed_has_shown_whichever_is_newer() {
    let scene = Scene::with(&[(1, "a"), (2, "a"), (3, "a")], settings());
    scene.world(|world| {
        let positions = [good(1, 5), good(2, 5)];
        world.stored.extend(positions.map(|position| (position.device_id, position)));
    });
    // Nobody watches yet, and the store has not got these.
    scene.publish(vec![good(2, 6), good(3, 6), good(1, 4)]);
    scene.settle().await;
    let ann = Watcher::of(&scene, "ann", "a").await;
    assert_eq!(ann.map("a"), [(1, 5), (2, 6), (3, 6)]);
    assert!(ann.view("a").complete);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_subscribe_at_once_cost_one_query_and_one_encoding() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], settings());
    scene.world(|world| world.stored.insert(samples::device(1), good(1, 5)));
    scene.settle().await;
    let names: Vec<String> = (0..1_000).map(|number| format!("viewer{number}")).collect();
    let watchers = join_all(names.iter().map(|name| Watcher::of(&scene, name, "a"))).await;
    assert!(watchers.iter().all(|watcher| watcher.map("a") == [(1, 5)]));
    assert!(watchers.iter().all(|watcher| watcher.view("a").complete));
    assert_eq!(scene.world(|world| world.store_queries), 1);
    assert_eq!(scene.encoded().snapshots, 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_subscriptions_are_answered_and_the_rest_follows_when_it_is_back() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], settings());
    scene.world(|world| {
        world.store_is_away = true;
        world.stored.insert(samples::device(1), good(1, 5));
    });
    scene.settle().await;
    let began = tokio::time::Instant::now();
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(ann.view("a").markers.is_empty());
    assert!(!ann.view("a").complete);
    scene.publish(vec![good(2, 6)]);
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(2, 6)], "live goes on");

    scene.world(|world| world.store_is_away = false);
    tokio::time::sleep(Duration::from_secs(15)).await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 5), (2, 6)]);
    let bob = Watcher::of(&scene, "bob", "a").await;
    assert_eq!(bob.map("a"), [(1, 5), (2, 6)]);
    assert!(bob.view("a").complete);
}

#[tokio::test(start_paused = true)]
async fn what_the_feed_skipped_is_made_good_from_the_store() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, 5)]);
    ann.read_all().await;
    scene.world(|world| world.stored.insert(samples::device(1), good(1, 7)));
    tokio::time::sleep(Duration::from_mins(2)).await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 7)]);
}

#[tokio::test(start_paused = true)]
async fn whoever_unsubscribed_is_told_nothing_more() {
    let scene = Scene::with(&[(1, "a"), (2, "b")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    ann.subscribe("b", None).await;
    ann.session.handle(unsubscribe("a"));
    ann.read().await;
    scene.publish(vec![good(1, 1), good(2, 1)]);
    ann.read_all().await;
    assert!(!ann.watching.contains("a"));
    assert_eq!(ann.map("a"), []);
    assert_eq!(ann.map("b"), [(2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_fails_is_followed_again_and_closed_at_the_end() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    for at in 1..=10 {
        scene.fail_feed();
        scene.publish(vec![good(1, at)]);
    }
    tokio::time::sleep(Duration::from_mins(1)).await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 10)]);
    let closed = std::sync::Arc::clone(&scene.feed_closed);
    assert!(scene.end().await.is_ok());
    assert!(*closed.lock().unwrap());
}
