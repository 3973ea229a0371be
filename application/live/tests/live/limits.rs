//! Everything that a client may have too much of, and whatever else it may say.

use std::num::NonZeroU32;

use processor_live::{ClientMessage, Close, Denial, Epoch, LiveSettings, Outgoing, Since, TopicName, Uid};
use proptest::prelude::*;

use crate::scene::{Scene, settings};
use crate::viewer::{Watcher, subscribe, unsubscribe};

#[tokio::test(start_paused = true)]
async fn one_subscription_too_many_is_denied_and_one_given_up_makes_room() {
    let scene = Scene::with(&[], settings());
    let mut ann = Watcher::admitted(&scene, "ann").await;
    for number in 0..128 {
        ann.subscribe(&number.to_string(), None).await;
    }
    assert_eq!(ann.watching.len(), 128);
    ann.subscribe("128", None).await;
    assert_eq!(ann.denials, [Denial::TooManySubscriptions]);
    ann.subscribe("5", None).await;
    assert_eq!(ann.denials.len(), 1, "one that is watched already may begin anew");
    ann.session.handle(unsubscribe("5"));
    ann.subscribe("128", None).await;
    ann.read_all().await;
    assert_eq!(ann.watching.len(), 128);
    assert_eq!(ann.denials.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_message_too_many_closes_the_socket() {
    let burst = NonZeroU32::new(10).unwrap();
    let scene = Scene::with(&[], LiveSettings { message_burst: burst, ..settings() });
    let mut ann = Watcher::admitted(&scene, "ann").await;
    for _ in 0..10 {
        ann.session.handle(ClientMessage::Ping { uid: None });
    }
    ann.read_all().await;
    assert_eq!(ann.answers, 10);
    // Half a second has passed: ten more may be sent.
    for _ in 0..10 {
        ann.session.handle(ClientMessage::Ping { uid: None });
    }
    ann.read_all().await;
    assert_eq!(ann.answers, 20);
    for _ in 0..11 {
        ann.session.handle(ClientMessage::Ping { uid: None });
    }
    assert_eq!(ann.session.next().await, Outgoing::Close(Close::TooMany));
}

#[tokio::test(start_paused = true)]
async fn whoever_changes_its_mind_gets_an_answer_to_each_message() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut ann = Watcher::admitted(&scene, "ann").await;
    for _ in 0..5 {
        ann.session.handle(subscribe("a", None));
        ann.session.handle(subscribe("a", None));
        ann.session.handle(unsubscribe("a"));
    }
    ann.session.handle(subscribe("a", None));
    scene.settle().await;
    // Allowed and not read yet, and then given up.
    ann.session.handle(subscribe("a", None));
    scene.settle().await;
    ann.session.handle(unsubscribe("a"));
    ann.read_all().await;
    assert_eq!(ann.answers, 18);
    assert_eq!(ann.denials, [Denial::Cancelled; 12]);
    assert!(ann.watching.is_empty());
}

fn message() -> impl Strategy<Value = ClientMessage> {
    let name = prop_oneof![
        "event:[a-c]",
        "event:.{0,70}",
        ".{0,20}",
        Just("event:".to_owned()),
        Just("event:../users/me".to_owned()),
    ];
    let topic = name.prop_filter_map("it is short enough", |name| TopicName::new(&name).ok());
    let uid =
        || proptest::option::of(".{0,10}".prop_filter_map("it is short enough", |uid| Uid::new(&uid).ok()));
    let epoch = any::<u64>().prop_map(|epoch| Epoch::parse(&format!("{epoch:016x}")).unwrap());
    let since = proptest::option::of((epoch, any::<u64>()).prop_map(|(epoch, seq)| Since { epoch, seq }));
    prop_oneof![
        3 => (topic.clone(), uid(), since)
            .prop_map(|(topic, uid, since)| ClientMessage::Subscribe { topic, uid, since }),
        1 => (topic, uid()).prop_map(|(topic, uid)| ClientMessage::Unsubscribe { topic, uid }),
        1 => uid().prop_map(|uid| ClientMessage::Ping { uid }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_said_is_answered_once(messages in prop::collection::vec((message(), any::<bool>()), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let scene = Scene::with(&[(1, "a"), (2, "b")], LiveSettings { subscriptions: 2, ..settings() });
            let mut ann = Watcher::admitted(&scene, "ann").await;
            let said = messages.len();
            for (message, pause) in messages {
                ann.session.handle(message);
                if pause {
                    tokio::task::yield_now().await;
                }
            }
            ann.read_all().await;
            prop_assert_eq!(ann.answers, said);
            Ok(())
        })?;
    }
}
