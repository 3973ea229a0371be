//! The same on several threads at once, at the real time: what a time that stands still cannot show.

use std::sync::Arc;
use std::time::Duration;

use processor_domain::samples;
use processor_live::{Live, LiveSettings};
use tokio_util::sync::CancellationToken;

use crate::scene::{Scene, good, settings};
use crate::viewer::{Watcher, map};

const DEVICES: u64 = 20;
const SECONDS: u64 = 2_000;

/// Watches, is cut off after a few reads, comes back with what it had, and so on until the end.
async fn come_and_go(live: Live, number: usize, over: CancellationToken) -> Watcher {
    let name = format!("viewer{number}");
    let mut watcher = Watcher::entering(&live, &name).await;
    watcher.subscribe("a", None).await;
    let mut reads = 0;
    while !over.is_cancelled() {
        drop(tokio::time::timeout(Duration::from_millis(20), watcher.read()).await);
        reads += 1;
        if reads % (number + 3) == 0 {
            let (view, again) = (watcher.view("a").clone(), Watcher::entering(&live, &name).await);
            watcher = again;
            watcher.views.insert("a".to_owned(), view.clone());
            watcher.subscribe("a", Some(view.since())).await;
        }
    }
    watcher
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn viewers_who_come_and_go_while_devices_come_and_go_all_end_with_the_true_picture() {
    let settings = LiveSettings {
        tick: Duration::ZERO,
        roster_refresh: Duration::from_millis(5),
        recent_frames: 50,
        backlog_bytes: 4_000,
        compare_every: Duration::from_hours(1),
        ..settings()
    };
    let all: Vec<(u64, &str)> = (0..DEVICES).map(|device| (device, "a")).collect();
    let scene = Scene::with(&all, settings);
    let over = CancellationToken::new();
    let watchers: Vec<_> =
        (0..16).map(|number| tokio::spawn(come_and_go(scene.live.clone(), number, over.clone()))).collect();
    for at in 1..=SECONDS {
        scene.publish((0..DEVICES).map(|device| good(device, at)).collect());
        if at % 100 == 0 {
            let leaver = at / 100 % DEVICES;
            scene.world(|world| {
                world.roster = Some(all.iter().copied().filter(|(d, _)| *d != leaver).collect());
            });
        }
        if at % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    scene.world(|world| world.roster = Some(all.iter().copied().collect()));
    let truth: Vec<(u64, i64)> =
        (0..DEVICES).map(|device| (device, i64::try_from(SECONDS).unwrap())).collect();
    over.cancel();
    for watcher in watchers {
        let mut watcher = watcher.await.unwrap();
        let read = async {
            while map(&watcher.view("a").markers) != truth {
                assert_eq!(watcher.read().await, None);
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("it ends with the true picture");
    }
    assert!(scene.end().await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_subscribes_at_full_load_misses_nothing_between_picture_and_frames() {
    let scene = Scene::with(&[(1, "a")], LiveSettings { tick: Duration::ZERO, ..settings() });
    let live = Arc::new(scene.live.clone());
    let over = CancellationToken::new();
    let newcomers: Vec<_> = (0..4)
        .map(|thread| {
            let (live, over) = (Arc::clone(&live), over.clone());
            tokio::spawn(async move {
                let mut watchers = Vec::new();
                while !over.is_cancelled() && watchers.len() < 250 {
                    let name = format!("viewer{thread}x{}", watchers.len());
                    let mut watcher = Watcher::entering(&live, &name).await;
                    watcher.subscribe("a", None).await;
                    drop(tokio::time::timeout(Duration::from_millis(1), watcher.read()).await);
                    watchers.push(watcher);
                }
                watchers
            })
        })
        .collect();
    let mut at = 0;
    while !newcomers.iter().all(tokio::task::JoinHandle::is_finished) {
        at += 1;
        scene.publish(vec![good(1, at)]);
        scene.world(|world| world.stored.insert(samples::device(1), good(1, at)));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    over.cancel();
    let mut subscribed = 0;
    for newcomers in newcomers {
        for mut watcher in newcomers.await.unwrap() {
            subscribed += 1;
            while watcher.map("a") != [(1, i64::try_from(at).unwrap())] {
                let read = tokio::time::timeout(Duration::from_secs(20), watcher.read()).await;
                assert_eq!(read.expect("there is more to come"), None);
            }
        }
    }
    assert_eq!(subscribed, 1_000);
}
