use processor_admin::{DeadLetterFilter, DeadLetterId, Discarded, Place, Redrive};
use processor_domain::DeadLetterReason::{InvalidTime, NotJson};
use processor_domain::EntryId;

use crate::shelf::Scene;

#[tokio::test]
async fn one_is_discarded_once() {
    let scene = Scene::new();
    scene.in_table.put("a", 1, NotJson, "?");
    let desk = scene.desk();
    let id = DeadLetterId { place: Place::Table, id: EntryId { millis: 1, sequence: 0 }, stream: "a".into() };
    assert!(desk.discard(&id).await.unwrap());
    assert!(!desk.discard(&id).await.unwrap());
    assert!(scene.in_table.left().is_empty());
}

#[tokio::test]
async fn all_of_a_reason_are_discarded_and_nothing_is_published() {
    let scene = Scene::new();
    for millis in 1..=300 {
        scene.on_streams.put("a", millis, if millis % 3 == 0 { NotJson } else { InvalidTime }, "?");
    }
    scene.in_table.put("b", 1_000, NotJson, "?");
    let filter = DeadLetterFilter { reason: Some(NotJson), ..DeadLetterFilter::default() };
    let outcome = scene.desk().discard_all(&filter, None).await.unwrap();
    assert_eq!(outcome, Discarded { discarded: 101, next: None });
    assert_eq!(scene.on_streams.left().len(), 200);
    assert!(scene.in_table.left().is_empty());
    assert!(scene.story().iter().all(|line| line.starts_with("discard")));
}

/// What has the name of dead letters may be something else if nobody here puts any there.
#[tokio::test]
async fn nothing_is_touched_beside_streams_that_are_not_read() {
    let scene = Scene::new();
    scene.on_streams.put("another", 1, NotJson, "?");
    let desk = scene.desk();
    let id = DeadLetterId {
        place: Place::Stream,
        id: EntryId { millis: 1, sequence: 0 },
        stream: "another".into(),
    };
    assert_eq!(desk.open(&id).await.unwrap(), None);
    assert_eq!(desk.redrive(&id).await.unwrap(), Redrive::Absent);
    assert!(!desk.discard(&id).await.unwrap());
    let filter = DeadLetterFilter { stream: Some("another".into()), ..DeadLetterFilter::default() };
    assert_eq!(desk.discard_all(&filter, None).await.unwrap(), Discarded::default());
    assert_eq!(scene.on_streams.left(), [1]);
}
