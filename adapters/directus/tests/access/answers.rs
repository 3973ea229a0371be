//! What each answer of Directus comes to, over the wire.

use std::sync::Arc;
use std::time::Duration;

use processor_directus::{DirectusAccess, DirectusFailure, DirectusSettings};
use processor_domain::ports::{Access as _, AccessError};
use processor_domain::{EventId, Viewer};
use tokio::net::TcpListener;

use crate::stub::{Reply, Stub};
use crate::{StoppedClock, USER, access, access_with, credential, event, is_unknown};

#[tokio::test]
async fn the_request_shows_the_one_cookie_and_nothing_else() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access_with(&stub, |settings| settings.cookie_name = "my_session".into());
    let viewer = access.identify(&credential("\"a.b.c\"")).await.unwrap();
    assert_eq!(viewer, Some(Viewer { id: USER.into() }));
    let request = &stub.requests()[0];
    assert_eq!(request.target, "/users/me?fields=id");
    assert_eq!(request.header("cookie"), ["my_session=\"a.b.c\""]);
    assert_eq!(request.header_names(), ["accept", "cookie", "host"]);
}

#[tokio::test]
async fn a_request_belongs_to_its_trace_and_the_trace_cannot_replace_the_cookie() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access_with(&stub, |settings| {
        settings.trace_headers = Some(Arc::new(|| {
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            vec![
                header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                header("cookie", "directus_session_token=other"),
                header("not a name", "x"),
                header("x-odd", "a\r\nb"),
            ]
        }));
    });
    access.identify(&credential("mine")).await.unwrap();
    let request = &stub.requests()[0];
    assert_eq!(request.header("traceparent"), ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]);
    assert_eq!(request.header("cookie"), ["directus_session_token=mine"]);
    assert_eq!(request.header_names(), ["accept", "cookie", "host", "traceparent"]);
}

#[tokio::test]
async fn a_viewer_is_who_directus_says_and_nobody_else() {
    let stub = Stub::always(Reply::status(500)).await;
    // Several of these make it pause; each is asked of an adapter of its own.
    let identify = async |reply: Reply| {
        stub.now_answers(reply);
        access(&stub).identify(&credential("token")).await
    };
    let viewer = identify(Reply::user(USER)).await.unwrap();
    assert_eq!(viewer.map(|viewer| viewer.id), Some(USER.into()));
    for nobody in [
        Reply::status(401),
        Reply::status(403),
        Reply::Http(401, vec![], r#"{"errors":[{"extensions":{"code":"TOKEN_EXPIRED"}}]}"#.into()),
        Reply::Http(403, vec![], "x".repeat(100_000)),
        Reply::ok(r#"{"data":null}"#),
        Reply::ok(r#"{"data":{"share":"1ff8a093-b333-4f89-a2ca-40e58060d125"}}"#),
    ] {
        assert_eq!(identify(nobody.clone()).await.unwrap(), None, "{nobody:?}");
    }
    let elsewhere = format!("{}/login", stub.url());
    for unknown in [
        Reply::ok("{}"),
        Reply::ok("not json"),
        Reply::ok(format!(r#"{{"data":{{"id":"{USER}","x":"{}"}}}}"#, "x".repeat(100_000))),
        Reply::Http(302, vec![("Location", elsewhere)], String::new()),
        Reply::status(404),
        Reply::status(429),
        Reply::status(500),
        Reply::status(502),
        Reply::status(503),
        Reply::status(504),
        Reply::Raw("SSH-2.0-OpenSSH_9.9\r\n".into()),
    ] {
        let asked = stub.count();
        let answer = identify(unknown.clone()).await;
        assert!(is_unknown(&answer), "{unknown:?} {answer:?}");
        assert_eq!(stub.count(), asked + 1, "{unknown:?}");
    }
}

#[tokio::test]
async fn an_event_may_be_seen_if_directus_shows_it_and_not_otherwise() {
    let stub = Stub::always(Reply::status(500)).await;
    let may_see = async |reply: Reply, id: &str| {
        stub.now_answers(reply);
        access(&stub).may_see(&credential("token"), &event(id)).await
    };
    assert!(may_see(Reply::user("rally_1"), "rally_1").await.unwrap());
    assert_eq!(stub.requests().last().unwrap().target, "/items/events/rally_1?fields=id");
    assert!(may_see(Reply::ok(r#"{"data":{"id":42}}"#), "42").await.unwrap());
    for no in [401, 403, 404] {
        assert!(!may_see(Reply::status(no), "42").await.unwrap(), "{no}");
    }
    for unknown in [
        Reply::ok(r#"{"data":{"id":43}}"#),
        Reply::ok(r#"{"data":null}"#),
        Reply::ok("{}"),
        Reply::ok("<html>"),
        Reply::status(204),
        Reply::status(302),
        Reply::status(429),
        Reply::status(500),
        Reply::status(503),
    ] {
        assert!(is_unknown(&may_see(unknown.clone(), "42").await), "{unknown:?}");
    }
}

#[tokio::test]
async fn directus_is_not_asked_what_can_only_be_a_no() {
    let stub = Stub::always(Reply::user(USER)).await;
    let access = access(&stub);
    let too_long = "x".repeat(8 * 1024 + 1);
    for impossible in ["", "a;b", "a; directus_session_token=b", "a,b", "a b", "a\r\nb", "\"", "é", &too_long]
    {
        assert_eq!(access.identify(&credential(impossible)).await.unwrap(), None);
        assert!(!access.may_see(&credential(impossible), &event("42")).await.unwrap());
    }
    for hostile in ["../users/me", "..", "42/..", "42?fields=*", "42#", "%2e%2e", "4 2", "42\n", "*", ""] {
        assert!(EventId::parse(hostile).is_err(), "{hostile}");
    }
    assert_eq!(stub.count(), 0);
}

#[tokio::test]
async fn the_longest_cookie_is_passed_on_whole() {
    let stub = Stub::always(Reply::user(USER)).await;
    let longest = "x".repeat(8 * 1024);
    assert!(access(&stub).identify(&credential(&longest)).await.unwrap().is_some());
    assert_eq!(stub.requests()[0].cookie(), format!("directus_session_token={longest}"));
}

#[tokio::test]
async fn cookies_that_directus_sets_are_ignored() {
    let cookie = ("Set-Cookie", "directus_session_token=fresh; Path=/".to_owned());
    let body = format!(r#"{{"data":{{"id":"{USER}"}}}}"#);
    let stub = Stub::always(Reply::Http(200, vec![cookie], body)).await;
    let access = access(&stub);
    for token in ["one", "two"] {
        access.identify(&credential(token)).await.unwrap();
    }
    let cookies: Vec<String> = stub.requests().iter().map(|request| request.cookie().to_owned()).collect();
    assert_eq!(cookies, ["directus_session_token=one", "directus_session_token=two"]);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_unknown_after_five_seconds() {
    let stub = Stub::always(Reply::Silence).await;
    let began = tokio::time::Instant::now();
    let answer = access(&stub).identify(&credential("token")).await;
    assert!(is_unknown(&answer), "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert_eq!(stub.count(), 1);
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_unknown() {
    let stub =
        Stub::always(Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"data\"".into())).await;
    let access = access_with(&stub, |settings| {
        settings.timeout = Duration::from_millis(200);
        settings.turn_timeout = Duration::from_millis(100);
    });
    assert!(is_unknown(&access.identify(&credential("token")).await));
}

#[tokio::test]
async fn a_directus_that_is_not_there_is_unknown() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings = DirectusSettings::new(format!("http://{gone}"));
    let access = DirectusAccess::new(&settings, Arc::new(StoppedClock)).unwrap();
    let answer = access.identify(&credential("token")).await;
    let Err(AccessError::Unknown { retry_after: None, cause }) = answer else { panic!("{answer:?}") };
    assert_eq!(cause.to_string(), "the request failed");
    assert!(access.ping().await.is_err());
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_is_shown_nothing() {
    let stub = Stub::always(Reply::user(USER)).await;
    let settings = DirectusSettings::new(stub.url().replace("http://", "https://"));
    let access = DirectusAccess::new(&settings, Arc::new(StoppedClock)).unwrap();
    assert!(is_unknown(&access.identify(&credential("token")).await));
    assert_eq!(stub.count(), 0);
}

#[tokio::test]
async fn a_ping_is_answered_by_directus_alone() {
    let stub = Stub::always(Reply::ok("pong")).await;
    let access = access(&stub);
    access.ping().await.unwrap();
    let request = &stub.requests()[0];
    assert_eq!((request.target.as_str(), request.cookie()), ("/server/ping", ""));
    stub.now_answers(Reply::ok("<html>It works!</html>"));
    assert!(matches!(access.ping().await, Err(DirectusFailure::Unexpected(_))));
    stub.now_answers(Reply::status(503));
    assert!(matches!(access.ping().await, Err(DirectusFailure::Status { status: 503, .. })));
}
