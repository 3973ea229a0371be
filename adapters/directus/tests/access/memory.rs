//! How long an answer holds.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use processor_domain::ports::Access as _;
use tokio::time;

use crate::stub::{Reply, Stub};
use crate::{NOW, USER, access, access_with, credential, event, is_unknown};

/// Moves the time on, without waiting for it.
async fn later(seconds: u64) {
    time::pause();
    time::advance(Duration::from_secs(seconds)).await;
    time::resume();
}

fn session_that_ends_in(seconds: i64) -> String {
    let payload = format!(r#"{{"id":"{USER}","exp":{}}}"#, NOW + seconds);
    format!("e30.{}.c2ln", BASE64URL_NOPAD.encode(payload.as_bytes()))
}

#[tokio::test]
async fn a_yes_holds_for_half_a_minute() {
    let stub = Stub::start(|request| match request.target.as_str() {
        "/users/me?fields=id" => Reply::user(USER),
        _ => Reply::user("42"),
    })
    .await;
    let access = access(&stub);
    let both = async || {
        assert!(access.identify(&credential("token")).await.unwrap().is_some());
        assert!(access.may_see(&credential("token"), &event("42")).await.unwrap());
        stub.count()
    };
    assert_eq!(both().await, 2);
    later(28).await;
    assert_eq!(both().await, 2);
    later(2).await;
    assert_eq!(both().await, 4);
}

#[tokio::test]
async fn a_no_holds_for_five_seconds() {
    let stub = Stub::always(Reply::status(403)).await;
    let access = access(&stub);
    let both = async || {
        assert!(access.identify(&credential("token")).await.unwrap().is_none());
        assert!(!access.may_see(&credential("token"), &event("42")).await.unwrap());
        stub.count()
    };
    assert_eq!(both().await, 2);
    later(3).await;
    assert_eq!(both().await, 2);
    later(2).await;
    assert_eq!(both().await, 4);
}

#[tokio::test]
async fn a_yes_does_not_hold_past_the_end_of_the_session() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access(&stub);
    let asks = async |token: &str| {
        let asked = stub.count();
        assert!(access.identify(&credential(token)).await.unwrap().is_some());
        stub.count() - asked
    };
    let (short, long, ended) =
        (session_that_ends_in(10), session_that_ends_in(3600), session_that_ends_in(-1));
    for token in [&short, &long, &ended] {
        assert_eq!(asks(token).await, 1);
    }
    later(8).await;
    assert_eq!((asks(&short).await, asks(&long).await, asks(&ended).await), (0, 0, 1));
    later(2).await;
    assert_eq!((asks(&short).await, asks(&long).await), (1, 0));
    later(20).await;
    assert_eq!(asks(&long).await, 1);
}

#[tokio::test]
async fn what_is_unknown_is_not_remembered() {
    let stub = Stub::always(Reply::status(500)).await;
    let access = access(&stub);
    assert!(is_unknown(&access.identify(&credential("token")).await));
    assert!(is_unknown(&access.may_see(&credential("token"), &event("42")).await));
    stub.now_answers(Reply::user(USER));
    assert!(access.identify(&credential("token")).await.unwrap().is_some());
    stub.now_answers(Reply::user("42"));
    assert!(access.may_see(&credential("token"), &event("42")).await.unwrap());
}

#[tokio::test]
async fn a_yes_is_for_one_credential_and_one_event() {
    let stub = Stub::start(|request| match (request.cookie(), request.target.as_str()) {
        ("directus_session_token=mine", "/items/events/42?fields=id") => Reply::user("42"),
        _ => Reply::status(403),
    })
    .await;
    let access = access(&stub);
    for _ in 0..2 {
        assert!(access.may_see(&credential("mine"), &event("42")).await.unwrap());
        assert!(!access.may_see(&credential("mine"), &event("43")).await.unwrap());
        assert!(!access.may_see(&credential("other"), &event("42")).await.unwrap());
    }
    assert_eq!(stub.count(), 3);
}

#[tokio::test]
async fn a_session_that_ended_is_noticed_with_the_next_event() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access(&stub);
    assert!(access.identify(&credential("token")).await.unwrap().is_some());
    assert!(access.identify(&credential("other")).await.unwrap().is_some());
    stub.now_answers(Reply::status(401));
    assert!(access.identify(&credential("token")).await.unwrap().is_some(), "not yet noticed");
    assert!(!access.may_see(&credential("token"), &event("42")).await.unwrap());
    assert!(access.identify(&credential("token")).await.unwrap().is_none());
    assert!(access.identify(&credential("other")).await.unwrap().is_some(), "it was not their session");
}

#[tokio::test]
async fn an_event_that_is_denied_does_not_end_the_session() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access(&stub);
    assert!(access.identify(&credential("token")).await.unwrap().is_some());
    stub.now_answers(Reply::status(403));
    assert!(!access.may_see(&credential("token"), &event("42")).await.unwrap());
    assert!(access.identify(&credential("token")).await.unwrap().is_some());
}

#[tokio::test]
async fn more_viewers_than_there_is_room_for_are_asked_about_again() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access_with(&stub, |settings| settings.capacity = 2.try_into().unwrap());
    for token in ["one", "two", "three", "three", "two", "one"] {
        assert!(access.identify(&credential(token)).await.unwrap().is_some());
    }
    assert_eq!(stub.count(), 4);
}
