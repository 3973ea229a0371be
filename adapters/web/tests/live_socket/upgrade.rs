use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use processor_domain::ports::{Access, AccessError};
use processor_domain::{Credential, EventId, Viewer as Person};
use processor_live::LiveSettings;
use processor_web::{Origins, SocketSettings};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw::{answer, ask, frame, handshake, rest};
use crate::scene::{Cms, Scene, river_settings, socket_settings};
use crate::viewer::Viewer;

#[tokio::test]
async fn hostile_pages_are_refused_before_anybody_is_asked() {
    let origins = Origins::parse(["https://map.example.org"]).unwrap();
    let scene = Scene::with(river_settings(), SocketSettings { origins, ..socket_settings() }).await;
    let hostile = [
        "null",
        "https://map.example.org.evil.example",
        "https://evil-map.example.org",
        "https://evil.map.example.org",
        "https://example.org",
        "https://map.example.org:8443",
        "https://map.example.org:443",
        "http://map.example.org",
        "https://map.example.org/",
        "https://map.example.org@evil.example",
        "https://evil.example#https://map.example.org",
        "https://map-example.org",
        "https://MAP.example.org",
        "https://map.example.org.",
        "https://map.example.org%2eevil.example",
        "https://map.example.org, https://evil.example",
        "https://xn--map-example-org.example",
        "file://",
        "https://",
        "*",
    ];
    for origin in hostile {
        let answer = ask(scene.address, &handshake(&[&format!("Origin: {origin}")])).await;
        assert_eq!((answer.status, answer.problem()), (403, "origin_not_allowed".to_owned()), "{origin}");
    }
    let twice = ["Origin: https://map.example.org", "Origin: https://evil.example"];
    for changes in [&["Origin: "][..], &twice] {
        assert_eq!(ask(scene.address, &handshake(changes)).await.status, 403, "{changes:?}");
    }
    assert_eq!(scene.asked(), 0);
    assert_eq!(ask(scene.address, &handshake(&[])).await.status, 101);
    scene.stopped().await;
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_why() {
    let scene = Scene::new().await;
    scene.cms.lock().unwrap().ended.insert("bob".to_owned());
    let cases: [(&[&str], u16, &str); 11] = [
        (&["Cookie: "], 401, "not_signed_in"),
        (&["Cookie: other=ann"], 401, "not_signed_in"),
        (&["Cookie: session="], 401, "not_signed_in"),
        (&["Cookie: session=bob"], 401, "not_signed_in"),
        (&["Cookie: session=ann; session=bob"], 401, "ambiguous_session"),
        (&["Cookie: session=ann", "Cookie: session=bob"], 401, "ambiguous_session"),
        (&["Upgrade: "], 426, "not_a_socket"),
        (&["Connection: keep-alive"], 426, "not_a_socket"),
        (&["Sec-WebSocket-Version: 8"], 426, "unknown_version"),
        (&["Sec-WebSocket-Key: "], 400, "no_key"),
        (&["Sec-WebSocket-Key: short"], 400, "no_key"),
    ];
    for (changes, status, code) in cases {
        let answer = ask(scene.address, &handshake(changes)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{changes:?}");
    }
    let posted = handshake(&[]).replace("GET", "POST");
    assert_eq!(ask(scene.address, &posted).await.problem(), "not_a_handshake");
    scene.stopped().await;
}

#[tokio::test]
async fn nobody_is_turned_away_as_a_stranger_because_the_cms_is_away() {
    let scene = Scene::new().await;
    scene.cms.lock().unwrap().is_away = true;
    let answer = ask(scene.address, &handshake(&[])).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "identity_unknown"));
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((7..=14).contains(&seconds), "{seconds}");
    scene.cms.lock().unwrap().is_away = false;
    assert_eq!(ask(scene.address, &handshake(&[])).await.status, 101);
    scene.stopped().await;
}

#[tokio::test]
async fn one_socket_too_many_is_told_to_come_later() {
    let scene = Scene::with(LiveSettings { sockets: 2, ..river_settings() }, socket_settings()).await;
    let first = Viewer::of(&scene, "ann-1").await;
    let _second = Viewer::of(&scene, "ann-2").await;
    let answer = ask(scene.address, &handshake(&[])).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "at_capacity"));
    assert!(answer.header("retry-after").is_some());
    drop(first);
    // The place is free when the server has noticed.
    let let_in = async { while ask(scene.address, &handshake(&[])).await.status != 101 {} };
    tokio::time::timeout(Duration::from_secs(10), let_in).await.expect("its place is given to another");
    scene.stopped().await;
}

#[tokio::test]
async fn without_a_cookie_anybody_may_come_where_nobody_is_asked_for_one() {
    let scene = Scene::with(river_settings(), SocketSettings { anonymous: true, ..socket_settings() }).await;
    assert_eq!(ask(scene.address, &handshake(&["Cookie: "])).await.status, 101);
    assert_eq!(ask(scene.address, &handshake(&["Origin: https://evil.example"])).await.status, 403);
    scene.stopped().await;
}

/// A CMS that never answers.
struct Mute;

#[async_trait]
impl Access for Mute {
    async fn identify(&self, _: &Credential) -> Result<Option<Person>, AccessError> {
        std::future::pending().await
    }

    async fn may_see(&self, _: &Credential, _: &EventId) -> Result<bool, AccessError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn whoever_waits_too_long_to_be_identified_is_told_to_come_again() {
    let socket = SocketSettings { admit_within: Duration::from_millis(50), ..socket_settings() };
    let cms = Arc::new(Mutex::new(Cms::default()));
    let scene = Scene::between(cms, Arc::new(Mute), river_settings(), socket).await;
    let answer = ask(scene.address, &handshake(&[])).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "identity_unknown"));
    scene.stopped().await;
}

#[tokio::test]
async fn what_is_said_in_one_breath_with_the_handshake_is_heard() {
    let scene = Scene::new().await;
    let ping = r#"{"type":"ping","uid":"early"}"#;
    let said = [handshake(&[]).as_bytes(), &frame(0x81, ping.as_bytes()), &frame(0x88, b"")].concat();
    let mut stream = TcpStream::connect(scene.address).await.unwrap();
    stream.write_all(&said).await.unwrap();
    assert_eq!(answer(&mut stream).await.status, 101);
    let heard = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
    assert!(heard.contains(r#""type":"pong","uid":"early""#), "{heard}");
    scene.stopped().await;
}
