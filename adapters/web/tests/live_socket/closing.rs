use std::time::{Duration, Instant};

use processor_live::LiveSettings;
use processor_web::SocketSettings;
use tokio::io::AsyncWriteExt;
use tokio_websockets::{CloseCode, Message};

use crate::raw::{ask, frame, handshake, open, rest};
use crate::scene::{DEVICES, RALLY, Scene, good, river_settings, socket_settings};
use crate::viewer::Viewer;

#[tokio::test]
async fn a_viewer_who_says_nothing_is_closed() {
    let socket = SocketSettings { first_message_within: Duration::from_millis(100), ..socket_settings() };
    let scene = Scene::with(river_settings(), socket).await;
    let mut viewer = Viewer::of(&scene, "ann").await;
    assert_eq!(viewer.closed().await, (4400, "nothing was asked for".to_owned()));
    scene.stopped().await;
}

/// Pings soon, and does not wait long.
fn impatient() -> SocketSettings {
    SocketSettings {
        ping_every: Duration::from_millis(100),
        pong_within: Duration::from_millis(150),
        ..socket_settings()
    }
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_gone_without_ceremony() {
    let scene = Scene::with(river_settings(), impatient()).await;
    let mut stream = open(scene.address).await;
    stream.write_all(&frame(0x81, br#"{"type":"ping"}"#)).await.unwrap();
    let began = Instant::now();
    let heard = rest(&mut stream).await;
    assert!(began.elapsed() >= Duration::from_millis(250), "it was given the time to answer");
    // The answer, one ping, and no close.
    let mut expected = b"\x81\x0f{\"type\":\"pong\"}".to_vec();
    expected.extend_from_slice(b"\x89\x00");
    assert_eq!(heard, expected);
    scene.stopped().await;
}

#[tokio::test]
async fn a_peer_that_answers_stays() {
    let scene = Scene::with(river_settings(), impatient()).await;
    let (mut viewer, _) = Viewer::watching(&scene, "ann").await;
    let mut pings = 0;
    while pings < 5 {
        pings += usize::from(viewer.next().await.expect("it stays open").is_ping());
    }
    scene.publish(vec![good(1, 1)]).await;
    assert_eq!(viewer.hear().await["type"], "positions");
    scene.stopped().await;
}

#[tokio::test]
async fn a_viewer_who_does_not_read_is_closed_as_too_slow_and_holds_up_nobody() {
    let river = LiveSettings {
        patience: Duration::from_millis(500),
        // No frame is left out, so that the connection fills up soon.
        backlog_bytes: usize::MAX,
        recent_bytes: usize::MAX,
        recent_frames: usize::MAX,
        ..river_settings()
    };
    let scene = Scene::with(river, SocketSettings::default()).await;
    let (mut reader, subscribed) = Viewer::watching(&scene, "ann").await;
    let (mut sleeper, _) = Viewer::watching(&scene, "bob").await;
    let mut seq = subscribed["seq"].as_u64().unwrap();
    let began = Instant::now();
    // About 70 kB a frame.
    for second in 1..=300 {
        scene.publish((0..DEVICES).map(|device| good(device, second)).collect()).await;
        seq += 1;
        assert_eq!(reader.hear().await["seq"], seq);
        if began.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    let left = Duration::from_millis(1_500).saturating_sub(began.elapsed());
    tokio::time::sleep(left).await;
    // When it reads again, it finds what was on its way, and then why there is no more.
    assert_eq!(sleeper.closed().await, (4408, "too slow".to_owned()));
    scene.stopped().await;
}

#[tokio::test]
async fn whose_session_ends_is_closed() {
    let river = LiveSettings { recheck_every: Duration::from_millis(100), ..river_settings() };
    let scene = Scene::with(river, socket_settings()).await;
    let (mut viewer, _) = Viewer::watching(&scene, "ann").await;
    scene.cms.lock().unwrap().ended.insert("ann".to_owned());
    assert_eq!(viewer.closed().await, (4401, "session ended".to_owned()));
    scene.stopped().await;
}

#[tokio::test]
async fn a_viewer_who_closes_is_answered_and_its_place_is_free() {
    let river = LiveSettings { sockets: 1, ..river_settings() };
    let scene = Scene::with(river, socket_settings()).await;
    let (mut viewer, _) = Viewer::watching(&scene, "ann").await;
    viewer.send(Message::close(Some(CloseCode::NORMAL_CLOSURE), "bye")).await;
    assert_eq!(viewer.closed().await, (1000, String::new()));
    assert!(viewer.next().await.is_none());
    let let_in = async { while ask(scene.address, &handshake(&[])).await.status != 101 {} };
    tokio::time::timeout(Duration::from_secs(10), let_in).await.expect("its place is free");
    scene.stopped().await;
}

#[tokio::test]
async fn whoever_breaks_the_protocol_is_told_so() {
    let scene = Scene::new().await;
    let subscribe = format!(r#"{{"type":"subscribe","topic":"event:{RALLY}"}}"#);
    let cases: [(Vec<u8>, u16); 5] = [
        // Not masked.
        ([&[0x81, 2][..], b"{}"].concat(), 1002),
        // A reserved bit.
        (frame(0xc1, b"{}"), 1002),
        // An unknown kind.
        (frame(0x83, b"{}"), 1002),
        // The end of a message that has not begun.
        (frame(0x80, b"{}"), 1002),
        // No text.
        (frame(0x81, b"\xff\xff"), 1007),
    ];
    for (bytes, code) in cases {
        let mut stream = open(scene.address).await;
        stream.write_all(&bytes).await.unwrap();
        let heard = rest(&mut stream).await;
        assert_eq!(heard.first(), Some(&0x88), "{bytes:?} {heard:?}");
        assert_eq!(heard[2..4], code.to_be_bytes(), "{bytes:?}");
    }
    // A message in pieces, with a ping in between, is none of these.
    let mut stream = open(scene.address).await;
    let (start, end) = subscribe.as_bytes().split_at(10);
    for bytes in [frame(0x01, start), frame(0x89, b"?"), frame(0x80, end), frame(0x88, b"")] {
        stream.write_all(&bytes).await.unwrap();
    }
    let heard = rest(&mut stream).await;
    assert_eq!(heard[..3], *b"\x8a\x01?");
    assert_eq!(heard[heard.len() - 2..], *b"\x88\x00");
    scene.stopped().await;
}
