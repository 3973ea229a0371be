use std::num::NonZeroU32;

use processor_live::LiveSettings;
use serde_json::json;
use tokio_websockets::Message;

use crate::scene::{RALLY, Scene, good, river_settings, socket_settings};
use crate::viewer::Viewer;

#[tokio::test]
async fn a_viewer_gets_the_picture_and_then_every_frame() {
    let scene = Scene::new().await;
    let (mut viewer, subscribed) = Viewer::watching(&scene, "ann").await;
    assert_eq!(subscribed["topic"], "event:rally");
    assert_eq!(subscribed["uid"], "1");
    assert_eq!(subscribed["recovered"], false);
    assert_eq!(subscribed["snapshot_complete"], true);
    assert_eq!(subscribed["snapshot"][0]["device_id"], "000000000000000");
    let mut seq = subscribed["seq"].as_u64().unwrap();
    for second in 1..=20 {
        scene.publish(vec![good(1, second), good(2, second)]).await;
        let frame = viewer.hear().await;
        seq += 1;
        assert_eq!((&frame["type"], frame["seq"].as_u64()), (&json!("positions"), Some(seq)));
        assert_eq!(frame["positions"].as_array().unwrap().len(), 2);
    }
    viewer.say(&json!({"type": "unsubscribe", "topic": "event:rally", "uid": "2"})).await;
    assert_eq!(viewer.hear().await, json!({"type": "unsubscribed", "topic": "event:rally", "uid": "2"}));
    scene.stopped().await;
}

#[tokio::test]
async fn whoever_comes_back_gets_what_was_missed() {
    let scene = Scene::new().await;
    let (mut viewer, subscribed) = Viewer::watching(&scene, "ann").await;
    scene.publish(vec![good(1, 1)]).await;
    let seq = viewer.hear().await["seq"].as_u64().unwrap();
    drop(viewer);
    let (mut other, _) = Viewer::watching(&scene, "bob").await;
    for second in 2..=4 {
        scene.publish(vec![good(1, second)]).await;
        other.hear().await;
    }
    let mut back = Viewer::of(&scene, "ann").await;
    let since = json!({"epoch": subscribed["epoch"], "seq": seq});
    back.say(&json!({"type": "subscribe", "topic": "event:rally", "since": since})).await;
    let recovered = back.hear().await;
    assert_eq!(recovered["recovered"], true);
    assert_eq!(recovered["snapshot"], json!([]));
    for missed in 1..=3 {
        assert_eq!(back.hear().await["seq"], seq + missed);
    }
    scene.stopped().await;
}

#[tokio::test]
async fn pings_of_both_kinds_are_answered() {
    let scene = Scene::new().await;
    let mut viewer = Viewer::of(&scene, "ann").await;
    viewer.say(&json!({"type": "ping", "uid": "7"})).await;
    assert_eq!(viewer.hear().await, json!({"type": "pong", "uid": "7"}));
    viewer.send(Message::ping("hello")).await;
    let pong = viewer.next().await.unwrap();
    assert!(pong.is_pong());
    assert_eq!(pong.as_payload()[..], b"hello"[..]);
    scene.stopped().await;
}

#[tokio::test]
async fn what_may_not_be_seen_and_what_is_no_topic_is_said_and_closes_nothing() {
    let scene = Scene::new().await;
    let mut viewer = Viewer::of(&scene, "ann").await;
    for (topic, code) in [("event:secret", "forbidden"), ("event:../x", "forbidden"), ("x", "unknown_topic")]
    {
        viewer.say(&json!({"type": "subscribe", "topic": topic, "uid": "1"})).await;
        let error = viewer.hear().await;
        assert_eq!((&error["type"], &error["topic"]), (&json!("error"), &json!(topic)));
        assert_eq!(error["error"]["code"], code, "{topic}");
    }
    viewer.say(&json!({"type": "subscribe", "topic": format!("event:{RALLY}")})).await;
    assert_eq!(viewer.hear().await["type"], "subscribed");
    scene.stopped().await;
}

#[tokio::test]
async fn three_messages_that_are_none_are_answered_and_the_fourth_closes() {
    let scene = Scene::new().await;
    let mut viewer = Viewer::of(&scene, "ann").await;
    for text in ["not JSON", "{}", r#"{"type":"ping","uid":"7","topic":1,"since":1} x"#] {
        viewer.send(Message::text(text)).await;
        let error = viewer.hear().await;
        assert_eq!((&error["type"], &error["error"]["code"]), (&json!("error"), &json!("bad_message")));
    }
    viewer.send(Message::text("not JSON")).await;
    assert_eq!(viewer.closed().await, (4400, "too many messages that are none".to_owned()));
    scene.stopped().await;
}

#[tokio::test]
async fn what_is_binary_or_too_large_closes_at_once() {
    let scene = Scene::new().await;
    let text = |bytes: usize| Message::text(" ".repeat(bytes));
    let cases = [
        (Message::binary(&b"{}"[..]), 4400, "a message is text"),
        (text((16 << 10) + 1), 4400, "a message has at most 16384 bytes"),
        (text(64 << 10), 4400, "a message has at most 16384 bytes"),
        (text((64 << 10) + 1), 1009, "max length: 65536"),
    ];
    for (message, code, reason) in cases {
        let mut viewer = Viewer::of(&scene, "ann").await;
        viewer.send(message).await;
        assert_eq!(viewer.closed().await, (code, reason.to_owned()));
    }
    let mut viewer = Viewer::of(&scene, "ann").await;
    viewer.send(text(16 << 10)).await;
    assert_eq!(viewer.hear().await["error"]["code"], "bad_message");
    scene.stopped().await;
}

#[tokio::test]
async fn too_many_messages_close_and_so_do_too_many_pings() {
    let burst = NonZeroU32::new(3).unwrap();
    let scene =
        Scene::with(LiveSettings { message_burst: burst, ..river_settings() }, socket_settings()).await;
    let mut viewer = Viewer::of(&scene, "ann").await;
    for _ in 0..4 {
        viewer.say(&json!({"type": "ping"})).await;
    }
    assert_eq!(viewer.closed().await, (4429, "too many messages".to_owned()));
    let mut viewer = Viewer::of(&scene, "ann").await;
    for _ in 0..65 {
        viewer.send(Message::ping("")).await;
    }
    assert_eq!(viewer.closed().await, (4429, "too many pings".to_owned()));
    scene.stopped().await;
}
