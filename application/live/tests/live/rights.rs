//! Who comes in, who may stay, and how it ends.

use std::time::Duration;

use processor_live::{Close, Denial, LiveSettings, Refusal};

use crate::scene::{Scene, good, settings};
use crate::viewer::{Watcher, subscribe};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn nobody_is_turned_away_and_told_apart_from_somebody_not_known_at_the_moment() {
    let scene = Scene::with(&[], settings());
    scene.world(|world| world.ended.insert("stale"));
    assert_eq!(scene.admit("stale").await.err(), Some(Refusal::Nobody));
    scene.world(|world| world.cms_is_away = true);
    let retry_after = Duration::from_secs(7);
    assert_eq!(scene.admit("ann").await.err(), Some(Refusal::Unknown { retry_after }));
    scene.world(|world| world.cms_is_away = false);
    assert_eq!(&*scene.admit("ann").await.unwrap().viewer().id, "ann");
}

#[tokio::test(start_paused = true)]
async fn one_socket_too_many_is_turned_away_and_one_that_left_makes_room() {
    let scene = Scene::with(&[], LiveSettings { sockets: 3, sockets_per_viewer: 2, ..settings() });
    let full = Some(Refusal::AtCapacity { retry_after: Duration::from_secs(5) });
    let first = scene.admit("ann-1").await.unwrap();
    let _second = scene.admit("ann-2").await.unwrap();
    assert_eq!(scene.admit("ann-3").await.err(), full, "of one viewer");
    let _third = scene.admit("bob").await.unwrap();
    assert_eq!(scene.admit("carol").await.err(), full, "in all");
    let identified = scene.world(|world| world.identified);
    assert_eq!(scene.admit("carol").await.err(), full);
    assert_eq!(scene.world(|world| world.identified), identified, "the CMS is not asked for nothing");
    drop(first);
    assert!(scene.admit("ann-3").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn those_who_are_refused_take_no_place() {
    let scene = Scene::with(&[], LiveSettings { sockets: 1, ..settings() });
    scene.world(|world| world.ended.insert("stale"));
    for _ in 0..10 {
        assert_eq!(scene.admit("stale").await.err(), Some(Refusal::Nobody));
    }
    assert!(scene.admit("ann").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_one_may_not_see_and_one_that_cannot_be_are_answered_alike() {
    let scene = Scene::with(&[(1, "secret")], settings());
    scene.world(|world| world.forbidden.insert("secret"));
    let mut ann = Watcher::admitted(&scene, "ann").await;
    ann.subscribe("secret", None).await;
    ann.subscribe("../users/me", None).await;
    assert_eq!(ann.denials, [Denial::Forbidden, Denial::Forbidden]);
    scene.publish(vec![good(1, 1)]);
    ann.read_all().await;
    assert!(ann.views.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_subscribes_while_the_cms_is_away_is_told_to_try_again() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::admitted(&scene, "ann").await;
    scene.world(|world| world.cms_is_away = true);
    ann.subscribe("a", None).await;
    assert_eq!(ann.denials, [Denial::Unavailable]);
    assert!(Denial::Unavailable.temporary());
    scene.world(|world| world.cms_is_away = false);
    ann.subscribe("a", None).await;
    assert!(ann.views.contains_key("a"));
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_within_a_minute_when_the_session_ends() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    let mut bob = Watcher::of(&scene, "bob", "a").await;
    tokio::time::sleep(3 * MINUTE).await;
    scene.world(|world| world.ended.insert("ann"));
    assert_eq!(ann.closed_within(MINUTE).await, Close::SessionEnded);
    scene.publish(vec![good(1, 1)]);
    bob.read_all().await;
    assert_eq!(bob.map("a"), [(1, 1)], "others stay");
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_within_a_minute_when_access_is_withdrawn() {
    let scene = Scene::with(&[(1, "a"), (2, "b")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    ann.subscribe("b", None).await;
    scene.world(|world| world.forbidden.insert("b"));
    assert_eq!(ann.closed_within(MINUTE).await, Close::AccessWithdrawn);
}

#[tokio::test(start_paused = true)]
async fn those_who_are_connected_stay_while_the_cms_is_away_but_not_longer_than_the_grace() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut watchers = Vec::new();
    for number in 0..30 {
        watchers.push(Watcher::of(&scene, &format!("viewer{number}"), "a").await);
    }
    tokio::time::sleep(3 * MINUTE).await;
    scene.world(|world| world.cms_is_away = true);
    let began = tokio::time::Instant::now();
    tokio::time::sleep(4 * MINUTE).await;
    scene.publish(vec![good(1, 1)]);
    for watcher in &mut watchers {
        watcher.read().await;
        assert_eq!(watcher.map("a"), [(1, 1)]);
    }
    for watcher in &mut watchers {
        assert_eq!(watcher.closed_within(MINUTE).await, Close::SessionEnded);
    }
    assert!(began.elapsed() <= 5 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_cms_that_comes_back_in_time_has_cost_nothing() {
    let scene = Scene::with(&[(1, "a")], settings());
    let ann = Watcher::of(&scene, "ann", "a").await;
    for _ in 0..3 {
        scene.world(|world| world.cms_is_away = true);
        tokio::time::sleep(Duration::from_secs(235)).await;
        scene.world(|world| world.cms_is_away = false);
        tokio::time::sleep(MINUTE).await;
    }
    assert!(tokio::time::timeout(Duration::from_secs(1), ann.session.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_grace_that_is_short_is_kept_too() {
    let grace = Duration::from_secs(2);
    let scene = Scene::with(&[(1, "a")], LiveSettings { grace, ..settings() });
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    tokio::time::sleep(MINUTE).await;
    scene.world(|world| world.cms_is_away = true);
    assert_eq!(ann.closed_within(grace).await, Close::SessionEnded);

    let scene = Scene::with(&[(1, "a")], LiveSettings { grace: Duration::ZERO, ..settings() });
    let mut bob = Watcher::of(&scene, "bob", "a").await;
    tokio::time::sleep(3 * MINUTE).await;
    scene.world(|world| world.cms_is_away = true);
    assert_eq!(bob.closed_within(MINUTE).await, Close::SessionEnded);
}

#[tokio::test(start_paused = true)]
async fn those_who_came_together_are_not_checked_together() {
    let scene = Scene::with(&[], settings());
    let mut sessions = Vec::new();
    for number in 0..100 {
        sessions.push(scene.admit(&format!("viewer{number}")).await.unwrap());
    }
    let identified = || scene.world(|world| world.identified);
    let mut checks = Vec::new();
    for _ in 0..40 {
        let before = identified();
        tokio::time::sleep(Duration::from_secs(1)).await;
        checks.push(identified() - before);
    }
    assert!(checks.iter().sum::<usize>() >= 99, "{checks:?}");
    assert!(checks.iter().max() < Some(&30), "{checks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_dropped_is_not_checked_any_more() {
    let scene = Scene::with(&[], settings());
    drop(scene.admit("ann").await.unwrap());
    tokio::time::sleep(10 * MINUTE).await;
    assert_eq!(scene.world(|world| world.identified), 1);
}

#[tokio::test(start_paused = true)]
async fn at_a_stop_everybody_is_told_and_nobody_let_in() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::of(&scene, "ann", "a").await;
    let mut bob = Watcher::admitted(&scene, "bob").await;
    let live = scene.live.clone();
    assert!(scene.end().await.is_ok());
    assert_eq!(ann.closed_within(Duration::from_secs(1)).await, Close::GoingAway);
    assert_eq!(bob.closed_within(Duration::from_secs(1)).await, Close::GoingAway);
    assert_eq!(ann.closed_within(Duration::from_secs(1)).await, Close::GoingAway, "and stays closed");
    ann.session.handle(subscribe("a", None));
    ann.session.written();
    let refused = live.admit(processor_domain::Credential::new("carol")).await;
    assert!(matches!(refused.err(), Some(Refusal::AtCapacity { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_to_close_stays() {
    let scene = Scene::with(&[], settings());
    let mut ann = Watcher::admitted(&scene, "ann").await;
    ann.session.close(Close::BadMessage);
    ann.session.close(Close::TooMany);
    assert_eq!(ann.closed_within(Duration::from_secs(1)).await, Close::BadMessage);
}
