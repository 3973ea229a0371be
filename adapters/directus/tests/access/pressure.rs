//! Many viewers at once, and a Directus that has enough of them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use processor_domain::ports::{Access as _, AccessError};
use tokio::time::Instant;

use crate::stub::{Reply, Stub};
use crate::{USER, access, access_with, credential, event, is_unknown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_viewers_of_fifty_sessions_cost_fifty_requests() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = Arc::new(access(&stub));
    let callers = (0..2_000).map(|number| {
        let access = Arc::clone(&access);
        tokio::spawn(async move { access.identify(&credential(&format!("token-{}", number % 50))).await })
    });
    for answer in join_all(callers).await {
        assert_eq!(answer.unwrap().unwrap().map(|viewer| viewer.id), Some(USER.into()));
    }
    assert_eq!(stub.count(), 50);
}

#[tokio::test]
async fn those_who_must_wait_too_long_are_told_when_to_come_again() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access_with(&stub, |settings| {
        settings.requests_per_second = 5.try_into().unwrap();
        settings.turn_timeout = Duration::from_millis(500);
    });
    let tokens: Vec<_> = (0..20).map(|number| credential(&format!("token-{number}"))).collect();
    let answers = join_all(tokens.iter().map(|token| access.identify(token))).await;
    let told =
        |answer: &Result<_, _>| matches!(answer, Err(AccessError::Unknown { retry_after: Some(_), .. }));
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    assert_eq!(answers.iter().filter(|answer| told(answer)).count(), 15);
    assert_eq!(stub.count(), 5);
}

#[tokio::test]
async fn a_slow_directus_has_few_requests_at_once() {
    let stub = Stub::start(|request| match request.target.as_str() {
        "/server/ping" => Reply::ok("pong"),
        _ => Reply::user(USER).held(),
    })
    .await;
    let access = Arc::new(access_with(&stub, |settings| settings.max_in_flight = 3.try_into().unwrap()));
    let callers: Vec<_> = (0..12)
        .map(|number| {
            let access = Arc::clone(&access);
            tokio::spawn(async move { access.identify(&credential(&format!("token-{number}"))).await })
        })
        .collect();
    stub.asked(3).await;
    // The others stand in line: their turn comes only with an answer. Had they been let through, they would have
    // arrived before these, which need no turn.
    for _ in 0..10 {
        access.ping().await.unwrap();
    }
    assert_eq!(stub.count(), 3 + 10);
    stub.release();
    for answer in join_all(callers).await {
        assert!(answer.unwrap().unwrap().is_some());
    }
    assert_eq!(stub.count(), 12 + 10);
}

#[tokio::test]
async fn a_directus_that_is_asked_too_much_is_left_alone_for_as_long_as_it_says() {
    for status in [429, 503] {
        let stub = Stub::always(Reply::Http(status, vec![("Retry-After", "30".into())], String::new())).await;
        let access = access(&stub);
        let told = |answer: Result<_, AccessError>| match answer {
            Err(AccessError::Unknown { retry_after, .. }) => retry_after.unwrap().as_secs_f64().round(),
            Ok(viewer) => panic!("{viewer:?}"),
        };
        assert!((told(access.identify(&credential("one")).await) - 30.0).abs() < 0.1);
        stub.now_answers(Reply::user(USER));
        assert!((told(access.identify(&credential("one")).await) - 30.0).abs() < 0.1);
        assert!(is_unknown(&access.may_see(&credential("two"), &event("42")).await));
        assert_eq!(stub.count(), 1, "{status}");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(30)).await;
        tokio::time::resume();
        assert!(access.identify(&credential("one")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn too_many_requests_without_a_time_means_a_second() {
    let stub = Stub::always(Reply::status(429)).await;
    let access = access(&stub);
    let answer = access.identify(&credential("token")).await;
    let Err(AccessError::Unknown { retry_after, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(1)));
    stub.now_answers(Reply::user(USER));
    // A second is short enough to be waited for.
    let began = Instant::now();
    assert!(access.identify(&credential("token")).await.unwrap().is_some());
    assert!(began.elapsed() > Duration::from_millis(900));
}
