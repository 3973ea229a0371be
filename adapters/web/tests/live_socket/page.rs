use std::time::{Duration, Instant};

use processor_web::SocketSettings;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw::{ask, rest};
use crate::scene::{Scene, river_settings, socket_settings};

#[tokio::test]
async fn the_page_and_its_configuration_come_from_the_same_port() {
    let scene = Scene::new().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: map.example.org\r\n\r\n");
    let page = ask(scene.address, &get("/")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
    // By it the page finds out that the viewer's clock is wrong.
    assert!(page.header("date").is_some());
    assert_eq!(ask(scene.address, &get("/config.json")).await.status, 200);
    let nothing = ask(scene.address, &get("/nothing")).await;
    assert_eq!((nothing.status, nothing.problem().as_str()), (404, "not_found"));
    let deleted = ask(scene.address, &get("/").replace("GET", "DELETE")).await;
    assert_eq!((deleted.status, deleted.problem().as_str()), (405, "method_not_allowed"));
    scene.stopped().await;
}

#[tokio::test]
async fn whoever_is_slow_with_the_head_of_a_request_is_let_go() {
    let socket = SocketSettings { head_within: Duration::from_millis(200), ..socket_settings() };
    let scene = Scene::with(river_settings(), socket).await;
    let mut stream = TcpStream::connect(scene.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
    let began = Instant::now();
    rest(&mut stream).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    scene.stopped().await;
}

#[tokio::test]
async fn connections_without_a_place_wait_until_one_is_free() {
    let socket = SocketSettings { connections: 1, ..socket_settings() };
    let scene = Scene::with(river_settings(), socket).await;
    let first = TcpStream::connect(scene.address).await.unwrap();
    let mut second = TcpStream::connect(scene.address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), second.readable()).await;
    assert!(early.is_err(), "there is no place for it");
    drop(first);
    assert_eq!(crate::raw::answer(&mut second).await.status, 200);
    scene.stopped().await;
}
