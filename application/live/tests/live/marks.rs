//! What operators say.

use processor_domain::{Mark, Ruling, TakenBack, samples};
use processor_live::LiveSettings;

use crate::scene::{Scene, good, second, settings};
use crate::viewer::Watcher;

/// A mark of the device from one second up to another.
fn mark(id: i64, device: u64, from: u64, to: u64, ruling: Ruling) -> Mark {
    samples::mark(id, device, second(from), second(to), ruling)
}

#[tokio::test(start_paused = true)]
async fn a_marker_goes_back_to_the_last_good_position_and_the_car_drives_on_from_there() {
    let scene = Scene::with(&[(1, "a"), (2, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, 1), good(1, 5), good(2, 5)]);
    ann.read_all().await;
    let epoch = ann.view("a").epoch;
    scene.world(|world| {
        world.stored = [(samples::device(1), good(1, 1)), (samples::device(2), good(2, 5))].into();
        world.marks.push(mark(1, 1, 4, 9, Ruling::Faulty));
    });
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 1), (2, 5)]);

    scene.publish(vec![good(1, 6)]);
    ann.read_all().await;
    scene.publish(vec![good(1, 10)]);
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 10), (2, 5)]);
    assert!(ann.view("a").faulty.contains(&(samples::device(1), second(6))), "it came late, and is marked");
    let bob = Watcher::of(&scene, "bob", "a").await;
    assert_eq!(bob.map("a"), [(1, 10), (2, 5)]);
    assert_ne!(bob.view("a").epoch, epoch, "what somebody had before is not gone on from");
}

#[tokio::test(start_paused = true)]
async fn a_good_position_that_is_on_its_way_to_the_store_when_the_one_after_it_is_marked_is_shown_when_it_is_there()
 {
    for watched in [true, false] {
        let never = std::time::Duration::from_hours(100);
        let roster = if watched { [(1, "a")] } else { [(2, "a")] };
        let scene = Scene::with(&roster, LiveSettings { compare_every: never, ..settings() });
        let mut ann = Watcher::of(&scene, "ann", "a").await;
        scene.publish(vec![good(1, 1), good(1, 5)]);
        ann.read_all().await;
        scene.world(|world| world.marks.push(mark(1, 1, 4, 9, Ruling::Faulty)));
        scene.settle().await;
        scene.world(|world| world.roster = Some([(1, "a")].into()));
        scene.settle().await;
        ann.read_all().await;
        assert_eq!(ann.map("a"), []);
        scene.world(|world| world.stored.insert(samples::device(1), good(1, 1)));
        scene.settle().await;
        ann.read_all().await;
        assert_eq!(ann.map("a"), [(1, 1)], "watched from the beginning: {watched}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_was_away_while_something_was_marked_begins_anew() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, 1), good(1, 5)]);
    ann.read_all().await;
    let before = ann.view("a").clone();
    drop(ann);
    scene.world(|world| {
        world.stored.insert(samples::device(1), good(1, 1));
        world.marks.push(mark(1, 1, 4, 9, Ruling::Faulty));
    });
    scene.settle().await;
    let ann = Watcher::back(&scene, "ann", "a", before).await;
    assert!(!ann.view("a").recovered);
    assert_eq!(ann.map("a"), [(1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_of_which_nothing_good_is_left_is_gone() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, 5)]);
    ann.read_all().await;
    scene.world(|world| world.marks.push(mark(1, 1, 0, 9, Ruling::Faulty)));
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), []);
    // It is taken back: it is there again, as the store has it.
    scene.world(|world| {
        let taken_back = Some(TakenBack { by: samples::words("race control"), at: second(9) });
        world.marks.push(Mark { taken_back, ..mark(1, 1, 0, 9, Ruling::Faulty) });
        world.stored.insert(samples::device(1), good(1, 5));
    });
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 5)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_store_has_and_a_mark_speaks_against_is_not_shown() {
    let scene = Scene::with(&[(1, "a")], settings());
    scene.world(|world| {
        world.marks.push(mark(1, 1, 0, 9, Ruling::Faulty));
        world.stored.insert(samples::device(1), good(1, 5));
    });
    let ann = Watcher::of(&scene, "ann", "a").await;
    assert_eq!(ann.map("a"), []);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_the_picture_stays_and_follows_when_it_is_back() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    scene.publish(vec![good(1, 1), good(1, 5)]);
    ann.read_all().await;
    scene.world(|world| {
        world.store_is_away = true;
        world.stored.insert(samples::device(1), good(1, 1));
        world.marks.push(mark(1, 1, 4, 9, Ruling::Faulty));
    });
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 5)]);
    scene.world(|world| world.store_is_away = false);
    scene.settle().await;
    ann.read_all().await;
    assert_eq!(ann.map("a"), [(1, 1)]);
}
