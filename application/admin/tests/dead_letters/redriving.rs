use std::sync::Arc;

use processor_admin::{DeadLetterFilter, DeadLetterId, ListError, Place, Redrive, RedriveRefusal, Redriven};
use processor_domain::DeadLetterReason::{InvalidTime, NoPayload, NotJson, TooLarge};
use processor_domain::EntryId;
use processor_domain::ports::PublishError;

use crate::shelf::{LARGEST, Scene};

fn id(place: Place, stream: &str, millis: u64) -> DeadLetterId {
    DeadLetterId { place, id: EntryId { millis, sequence: 0 }, stream: stream.into() }
}

fn full() -> Result<(), PublishError> {
    Err(PublishError::Unavailable("full".into()))
}

#[tokio::test]
async fn a_record_is_on_its_stream_before_its_letter_is_gone() {
    let scene = Scene::new();
    scene.on_streams.put("b", 1, InvalidTime, "record");
    let desk = scene.desk();
    let letter = id(Place::Stream, "b", 1);
    assert_eq!(desk.redrive(&letter).await.unwrap(), Redrive::Done);
    assert_eq!(scene.story(), ["publish record to b", "discard 1 from stream"]);
    // Doing it again does nothing more.
    assert_eq!(desk.redrive(&letter).await.unwrap(), Redrive::Absent);
    assert_eq!(scene.story().len(), 2);
}

#[tokio::test]
async fn a_letter_whose_record_is_not_taken_stays() {
    let scene = Scene::new();
    scene.in_table.put("a", 1, InvalidTime, "record");
    let desk = scene.desk_with(|_, _| full());
    let error = desk.redrive(&id(Place::Table, "a", 1)).await.unwrap_err();
    assert_eq!(error.to_string(), "the stream a cannot be reached");
    assert_eq!(scene.in_table.left(), [1]);
    let all = desk.redrive_all(&DeadLetterFilter::default(), None).await;
    assert!(matches!(all, Err(ListError::Unavailable(_))), "{all:?}");
    assert_eq!(scene.in_table.left(), [1]);
}

#[tokio::test]
async fn what_cannot_be_sent_again_is_refused_with_the_reason_and_stays() {
    let scene = Scene::new();
    scene.on_streams.put("a", 1, NoPayload, "");
    scene.on_streams.put("a", 2, TooLarge, &"x".repeat(LARGEST + 1));
    scene.in_table.put("gone", 3, NotJson, "record");
    let desk = scene.desk();
    for (letter, refusal) in [
        (id(Place::Stream, "a", 1), RedriveRefusal::NoPayload),
        (id(Place::Stream, "a", 2), RedriveRefusal::TooLarge),
        (id(Place::Table, "gone", 3), RedriveRefusal::StreamNotRead),
    ] {
        assert_eq!(desk.redrive(&letter).await.unwrap(), Redrive::Refused(refusal));
    }
    scene.on_streams.put("a", 4, TooLarge, &"y".repeat(LARGEST));
    let outcome = desk.redrive_all(&DeadLetterFilter::default(), None).await.unwrap();
    let refused = [(RedriveRefusal::NoPayload, 1), (RedriveRefusal::TooLarge, 1)].into();
    assert_eq!(outcome, Redriven { redriven: 1, refused, next: None });
    assert_eq!((scene.on_streams.left(), scene.in_table.left()), (vec![1, 2], vec![3]));
}

#[tokio::test]
async fn all_of_a_reason_go_the_oldest_first_and_from_both_places() {
    let scene = Scene::new();
    scene.on_streams.put("a", 2, InvalidTime, "two");
    scene.on_streams.put("a", 1, InvalidTime, "one");
    scene.on_streams.put("b", 3, NotJson, "three");
    scene.in_table.put("b", 4, InvalidTime, "four");
    let filter = DeadLetterFilter { reason: Some(InvalidTime), ..DeadLetterFilter::default() };
    let outcome = scene.desk().redrive_all(&filter, None).await.unwrap();
    assert_eq!((outcome.redriven, outcome.next), (3, None));
    let expected =
        ["publish one two to a", "discard 2 from stream", "publish four to b", "discard 1 from table"];
    assert_eq!(scene.story(), expected);
    assert_eq!(scene.on_streams.left(), [3]);
}

#[tokio::test]
async fn a_record_that_comes_back_is_not_redriven_again_and_again() {
    let scene = Scene::new();
    for millis in 1..=20_000 {
        scene.on_streams.put("a", millis, InvalidTime, "poison");
    }
    let (shelf, next) = (scene.on_streams.clone(), std::sync::atomic::AtomicU64::new(20_001));
    let next = Arc::new(next);
    let desk = scene.desk_with(move |stream, records| {
        for _ in records {
            let millis = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            shelf.put(stream, millis, InvalidTime, "poison");
        }
        Ok(())
    });
    let (mut redriven, mut cursor, mut times) = (0, None, 0);
    loop {
        let outcome = desk.redrive_all(&DeadLetterFilter::default(), cursor).await.unwrap();
        assert!(outcome.redriven <= 2_000, "{} at a time", outcome.redriven);
        (redriven, times) = (redriven + outcome.redriven, times + 1);
        // As it comes back from a client.
        cursor = outcome.next.map(|next| next.to_string().parse().unwrap());
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((redriven, times), (20_000, 11));
    assert_eq!(scene.on_streams.left(), (20_001..=40_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn letters_that_are_refused_do_not_keep_others_from_their_turn() {
    let scene = Scene::new();
    for millis in 1..=2_500 {
        scene.on_streams.put("a", millis, NoPayload, "");
    }
    scene.on_streams.put("a", 2_501, InvalidTime, "record");
    let desk = scene.desk();
    let first = desk.redrive_all(&DeadLetterFilter::default(), None).await.unwrap();
    assert_eq!(first.redriven, 0);
    let second = desk.redrive_all(&DeadLetterFilter::default(), first.next).await.unwrap();
    assert_eq!((second.redriven, second.next), (1, None));
}

#[tokio::test]
async fn two_who_redrive_the_same_at_the_same_time_send_it_once() {
    let scene = Scene::new();
    for millis in 1..=500 {
        scene.on_streams.put("a", millis, InvalidTime, "record");
    }
    let desk = scene.desk();
    let all = DeadLetterFilter::default();
    let (one, other) = tokio::join!(desk.redrive_all(&all, None), desk.redrive_all(&all, None));
    assert_eq!(one.unwrap().redriven + other.unwrap().redriven, 500);
    let published = scene.story().iter().filter(|line| line.starts_with("publish")).count();
    assert_eq!(published, 5);
}
