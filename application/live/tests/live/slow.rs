//! Viewers who do not read, or not fast enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use processor_domain::samples;
use processor_live::{
    ClientMessage, Close, FrameEncoder, LiveSettings, Outgoing, Ports, PositionsFrame, Sighting,
};

use crate::scene::{Scene, World, good, settings};
use crate::viewer::{Watcher, subscribe};

/// The same text frames, and how many of them are still held by anybody.
struct Counted {
    text: Arc<dyn FrameEncoder>,
    held: Arc<AtomicUsize>,
}

struct Held(Bytes, Arc<AtomicUsize>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FrameEncoder for Counted {
    fn positions(&self, frame: &PositionsFrame<'_>) -> Bytes {
        self.held.fetch_add(1, Ordering::SeqCst);
        Bytes::from_owner(Held(self.text.positions(frame), Arc::clone(&self.held)))
    }

    fn snapshot(&self, positions: &[Sighting]) -> Bytes {
        self.text.snapshot(positions)
    }
}

fn fleet(at: u64) -> Vec<processor_domain::Position> {
    (1..=10).map(|device| good(device, at)).collect()
}

const FLEET: [(u64, &str); 10] =
    [(1, "a"), (2, "a"), (3, "a"), (4, "a"), (5, "a"), (6, "a"), (7, "a"), (8, "a"), (9, "a"), (10, "a")];

#[tokio::test(start_paused = true)]
async fn one_that_does_not_read_delays_nobody_and_then_gets_the_newest_of_each_device_in_one_frame() {
    let scene = Scene::with(&FLEET, LiveSettings { backlog_bytes: 2_000, ..settings() });
    let mut slow = Watcher::of(&scene, "slow", "a").await;
    let mut quick = Watcher::of(&scene, "quick", "a").await;
    for at in 1..=50 {
        let published = tokio::time::Instant::now();
        scene.publish(fleet(at));
        quick.read().await;
        assert!(published.elapsed() < Duration::from_millis(1), "as if the slow one were not there");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!((quick.view("a").frames, quick.view("a").conflated), (50, 0));
    slow.read_all().await;
    assert_eq!((slow.view("a").frames, slow.view("a").conflated), (0, 1));
    assert_eq!(slow.view("a").markers, quick.view("a").markers);
    assert_eq!(slow.view("a").seq, quick.view("a").seq);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_a_little_behind_gets_every_frame() {
    let scene = Scene::with(&FLEET, settings());
    let mut late = Watcher::of(&scene, "late", "a").await;
    for at in 1..=50 {
        scene.publish(fleet(at));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    late.read().await;
    assert_eq!((late.view("a").frames, late.view("a").conflated), (50, 0), "and all of them at once");
}

#[tokio::test(start_paused = true)]
async fn those_who_are_behind_share_what_they_get_and_removals_are_among_it() {
    let scene = Scene::with(&FLEET, LiveSettings { backlog_bytes: 2_000, ..settings() });
    let mut slow = Vec::new();
    for _ in 0..10 {
        slow.push(Watcher::of(&scene, "slow", "a").await);
    }
    scene.publish(fleet(1));
    for watcher in &mut slow {
        watcher.read_all().await;
    }
    for at in 2..=40 {
        scene.publish(fleet(at));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    scene.world(|world| world.roster = Some(FLEET.into_iter().skip(1).collect()));
    scene.settle().await;
    for watcher in &mut slow {
        watcher.read_all().await;
        assert_eq!(watcher.view("a").conflated, 1);
        assert_eq!(watcher.view("a").markers.len(), 9);
        assert!(!watcher.view("a").markers.contains_key(&samples::device(1)));
    }
    assert_eq!(scene.encoded().conflated, 1);
}

#[tokio::test(start_paused = true)]
async fn however_many_do_not_read_no_more_frames_are_held_than_a_topic_keeps() {
    let held = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&held);
    let settings = LiveSettings { recent_frames: 20, patience: Duration::from_hours(1), ..settings() };
    let world = World { roster: Some(FLEET.into()), ..World::default() };
    let scene = Scene::between(world, settings, |ports| {
        let encoder = Arc::new(Counted { text: Arc::clone(&ports.encoder), held: count });
        Ports { encoder, ..ports }
    });
    let mut stalled = Vec::new();
    for number in 0..100 {
        stalled.push(Watcher::of(&scene, &format!("slow{number}"), "a").await);
    }
    for at in 1..=1_000 {
        scene.publish(fleet(at));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(held.load(Ordering::SeqCst), 20);
    for watcher in &mut stalled {
        watcher.read_all().await;
        assert_eq!(watcher.map("a").len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_nothing_for_thirty_seconds_is_closed() {
    let scene = Scene::with(&[(1, "a")], settings());
    let stalled = Watcher::of(&scene, "slow", "a").await;
    tokio::time::sleep(Duration::from_secs(45)).await;
    scene.publish(vec![good(1, 1)]);
    assert!(matches!(stalled.session.next().await, Outgoing::Messages(_)));
    let began = tokio::time::Instant::now();
    assert_eq!(stalled.session.next().await, Outgoing::Close(Close::TooSlow));
    let elapsed = began.elapsed();
    assert!(elapsed >= Duration::from_secs(30) && elapsed < Duration::from_secs(31), "{elapsed:?}");
    stalled.session.written();
    assert_eq!(stalled.session.next().await, Outgoing::Close(Close::TooSlow));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_but_moves_is_not_closed() {
    let scene = Scene::with(&[(1, "a")], settings());
    let slow = Watcher::of(&scene, "slow", "a").await;
    for at in 1..=10 {
        scene.publish(vec![good(1, at)]);
        assert!(matches!(slow.session.next().await, Outgoing::Messages(_)));
        tokio::time::sleep(Duration::from_secs(29)).await;
        slow.session.written();
    }
    assert!(tokio::time::timeout(Duration::from_secs(1), slow.session.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_that_has_nothing_to_read_is_not_slow() {
    let scene = Scene::with(&[(1, "a")], settings());
    let idle = Watcher::of(&scene, "idle", "a").await;
    assert!(tokio::time::timeout(Duration::from_hours(1), idle.session.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_that_asks_and_does_not_read_the_answers_is_closed() {
    let limit = std::num::NonZeroU32::new(10_000).unwrap();
    let scene = Scene::with(&[], LiveSettings { message_burst: limit, ..settings() });
    let watcher = Watcher::admitted(&scene, "ann").await;
    let closed = (0..10_000).find(|_| {
        watcher.session.handle(ClientMessage::Ping { uid: None });
        matches!(watcher.session.due(), Some(Outgoing::Close(_)))
    });
    assert_eq!(closed, Some(257), "one is being written, and 256 wait");
    assert_eq!(watcher.session.due(), Some(Outgoing::Close(Close::TooSlow)));
}

#[tokio::test(start_paused = true)]
async fn what_is_due_in_many_topics_is_handed_out_in_turns() {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let pairs: Vec<(u64, &str)> = NAMES.iter().flat_map(|name| (1..=10).map(|n| (n, *name))).collect();
    let scene = Scene::with(&pairs, LiveSettings { backlog_bytes: 1, ..settings() });
    let mut ann = Watcher::admitted(&scene, "ann").await;
    for name in NAMES {
        ann.session.handle(subscribe(name, None));
    }
    ann.read_all().await;
    scene.publish(fleet(1));
    scene.settle().await;
    for read in 1..=4 {
        ann.read().await;
        assert_eq!(ann.views.values().filter(|view| view.seq == 1).count(), read);
    }
}
