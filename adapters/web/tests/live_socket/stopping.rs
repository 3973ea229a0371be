use std::time::{Duration, Instant};

use processor_web::SocketSettings;
use tokio::io::AsyncReadExt;

use crate::raw::{ask, handshake, open, rest};
use crate::scene::{Scene, good, river_settings, socket_settings};
use crate::viewer::Viewer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_viewers_are_told_that_it_stops() {
    let scene = Scene::new().await;
    let mut viewers = Vec::new();
    for number in 0..1_000 {
        let (mut viewer, _) = Viewer::watching(&scene, &format!("viewer{number}")).await;
        viewers.push(tokio::spawn(async move { viewer.closed().await }));
    }
    scene.publish(vec![good(1, 1)]).await;
    let began = Instant::now();
    scene.stopped().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for viewer in viewers {
        assert_eq!(viewer.await.unwrap(), (1001, "going away".to_owned()));
    }
}

#[tokio::test]
async fn whoever_does_not_answer_is_cut_off_and_nobody_comes_in_any_more() {
    let socket = SocketSettings {
        close_within: Duration::from_mins(1),
        stop_within: Duration::from_millis(300),
        ..socket_settings()
    };
    let scene = Scene::with(river_settings(), socket).await;
    let mut stream = open(scene.address).await;
    let address = scene.address;
    scene.stopped().await;
    let heard = rest(&mut stream).await;
    assert_eq!(heard[..4], [&[0x88, 12][..], &1001_u16.to_be_bytes()].concat());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_it_stops() {
    let scene = Scene::new().await;
    let answered = ask(scene.address, &handshake(&[])).await;
    assert_eq!(answered.status, 101);
    // A connection that stays open and asks for nothing more.
    let mut idle = tokio::net::TcpStream::connect(scene.address).await.unwrap();
    let page = "GET / HTTP/1.1\r\nHost: map.example.org\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut idle, page.as_bytes()).await.unwrap();
    assert_eq!(crate::raw::answer(&mut idle).await.status, 200);
    scene.stopped().await;
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
}
