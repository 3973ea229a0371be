//! Devices come and go.

use std::time::Duration;

use processor_domain::samples;

use crate::scene::{Scene, World, good, settings};
use crate::viewer::Watcher;

#[tokio::test(start_paused = true)]
async fn a_device_that_moves_to_another_event_is_gone_from_the_one_and_appears_in_the_other() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], settings());
    let (mut ann, mut bob) = (Watcher::of(&scene, "ann", "a").await, Watcher::of(&scene, "bob", "b").await);
    scene.publish(vec![good(1, 1), good(2, 1)]);
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 1), (2, 1)]);

    scene.world(|world| world.roster = Some([(1, "b"), (2, "a")].into()));
    scene.settle().await;
    ann.read_all().await;
    bob.read_all().await;
    assert_eq!(ann.map("a"), [(2, 1)], "its marker is taken away without waiting for another position");
    assert_eq!(bob.map("b"), [(1, 1)], "where it was last is known");

    scene.publish(vec![good(1, 2)]);
    ann.read_all().await;
    bob.read_all().await;
    assert_eq!(ann.map("a"), [(2, 1)]);
    assert_eq!(bob.map("b"), [(1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_joins_is_shown_where_the_store_last_saw_it() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.world(|world| {
        world.stored.insert(samples::device(9), good(9, 3));
        world.roster = Some([(1, "a"), (9, "a")].into());
    });
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(9, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_roster_that_cannot_be_read_stays_as_it_was_and_grows_old() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.world(|world| world.roster = None);
    tokio::time::sleep(Duration::from_mins(10)).await;
    scene.publish(vec![good(1, 1)]);
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 1)]);
    assert!(scene.live.roster_age() > Duration::from_mins(9));

    scene.world(|world| world.roster = Some([].into()));
    tokio::time::sleep(Duration::from_secs(15)).await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [], "one that was read is believed");
    assert!(scene.live.roster_age() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_before_the_roster_is_answered_and_sees_all_when_it_is_there() {
    let scene = Scene::of(World::default(), settings());
    scene.world(|world| world.stored.insert(samples::device(1), good(1, 5)));
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    assert!(!ann.view("a").complete);
    scene.world(|world| world.roster = Some([(1, "a")].into()));
    tokio::time::sleep(Duration::from_secs(15)).await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 5)]);
}
