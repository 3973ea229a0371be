use std::sync::Arc;

use processor_admin::{
    DeadLetterDesk, DeadLetterFilter, DeadLetterId, LettersOfDevice, LettersOfDevices, ListError, Place,
    Progress,
};
use processor_domain::DeadLetterOrder::{self, NewestFirst, OldestFirst};
use processor_domain::DeadLetterReason::{NotJson, TooLarge};
use processor_domain::ports::{MockPositionPublisher, PositionPublisher};
use processor_domain::{EntryId, samples};
use proptest::prelude::*;

use crate::shelf::{Scene, away};

/// The whole list, in parts of `limit`: which letters, by the milliseconds of their ids.
async fn list(
    desk: &DeadLetterDesk,
    filter: &DeadLetterFilter,
    order: DeadLetterOrder,
    limit: usize,
) -> Vec<u64> {
    let (mut all, mut cursor) = (Vec::new(), None::<Progress>);
    loop {
        let part = desk.list(filter, order, cursor, limit).await.unwrap();
        assert!(part.letters.len() <= limit);
        all.extend(part.letters.iter().map(|listed| listed.letter.id.millis));
        // As it comes back from a client.
        cursor = part.next.map(|next| next.to_string().parse().unwrap());
        if cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn letters_of_all_streams_and_both_places_are_in_one_order() {
    let scene = Scene::new();
    scene.on_streams.put("a", 1, NotJson, "1");
    scene.on_streams.put("b", 2, TooLarge, "2");
    scene.in_table.put("a", 3, NotJson, "3");
    scene.on_streams.put("a", 4, TooLarge, "4");
    scene.in_table.put("gone", 5, NotJson, "5");
    scene.on_streams.put("gone", 6, NotJson, "of something else");
    let desk = scene.desk();
    let all = DeadLetterFilter::default();
    assert_eq!(list(&desk, &all, OldestFirst, 2).await, [1, 2, 3, 4]);
    assert_eq!(list(&desk, &all, NewestFirst, 2).await, [4, 3, 2, 1]);
    let of = async |filter| list(&desk, &filter, OldestFirst, 10).await;
    assert_eq!(of(DeadLetterFilter { place: Some(Place::Table), ..all.clone() }).await, [3]);
    assert_eq!(of(DeadLetterFilter { stream: Some("a".into()), ..all.clone() }).await, [1, 3, 4]);
    assert_eq!(of(DeadLetterFilter { reason: Some(TooLarge), ..all.clone() }).await, [2, 4]);
    assert_eq!(of(DeadLetterFilter { stream: Some("gone".into()), ..all }).await, [5]);
}

#[tokio::test]
async fn a_letter_is_shown_by_the_id_that_it_is_listed_with() {
    let scene = Scene::new();
    scene.in_table.put("b", 7, NotJson, "what was received");
    let desk = scene.desk();
    let part = desk.list(&DeadLetterFilter::default(), NewestFirst, None, 1).await.unwrap();
    let id = part.letters[0].id();
    assert_eq!(id.to_string(), "table:7-0:b");
    assert_eq!(&*desk.open(&id).await.unwrap().unwrap().payload, b"what was received");
    let other = DeadLetterId { id: EntryId { millis: 8, sequence: 0 }, ..id };
    assert_eq!(desk.open(&other).await.unwrap(), None);
}

#[tokio::test]
async fn a_cursor_of_another_filter_is_refused() {
    let scene = Scene::new();
    for millis in 0..5 {
        scene.on_streams.put("a", millis, NotJson, "x");
    }
    let desk = scene.desk();
    let all = DeadLetterFilter::default();
    let next = desk.list(&all, NewestFirst, None, 2).await.unwrap().next;
    let one_stream = DeadLetterFilter { stream: Some("a".into()), ..all };
    let refused = desk.list(&one_stream, NewestFirst, next, 2).await.unwrap_err();
    assert!(matches!(refused, ListError::Cursor(_)), "{refused}");
}

#[tokio::test]
async fn a_place_that_is_away_is_named_and_the_other_can_be_asked() {
    let publisher: Arc<dyn PositionPublisher> = Arc::new(MockPositionPublisher::new());
    let table = Scene::new().in_table.port();
    let places = [(Place::Stream, away()), (Place::Table, Arc::new(table) as _)];
    let desk = DeadLetterDesk::new([("a".into(), publisher)].into(), places.into(), 100);
    let all = DeadLetterFilter::default();
    let error = desk.list(&all, NewestFirst, None, 2).await.unwrap_err();
    assert_eq!(error.to_string(), "the place stream of dead letters cannot be reached");
    let table = DeadLetterFilter { place: Some(Place::Table), ..all };
    assert!(desk.list(&table, NewestFirst, None, 2).await.is_ok());
}

proptest! {
    /// However few letters are looked at for a page, and wherever they are.
    #[test]
    fn every_letter_is_in_the_list_once_and_in_its_place(
        letters in prop::collection::btree_map(1_u64..200, (any::<bool>(), any::<bool>(), any::<bool>()), 0..60),
        limit in 1_usize..20,
        looked_at in 1_usize..10,
        reason in any::<bool>(),
    ) {
        let mut scene = Scene::new();
        scene.on_streams = scene.on_streams.looking_at_no_more_than(looked_at);
        scene.in_table = scene.in_table.looking_at_no_more_than(looked_at);
        for (millis, (table, a, json)) in &letters {
            let shelf = if *table { &scene.in_table } else { &scene.on_streams };
            let reason = if *json { NotJson } else { TooLarge };
            shelf.put(if *a { "a" } else { "b" }, *millis, reason, "x");
        }
        let filter = DeadLetterFilter { reason: reason.then_some(NotJson), ..DeadLetterFilter::default() };
        let mut expected: Vec<u64> =
            letters.iter().filter(|(_, (_, _, json))| !reason || *json).map(|(millis, _)| *millis).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let desk = scene.desk();
        prop_assert_eq!(runtime.block_on(list(&desk, &filter, OldestFirst, limit)), expected.clone());
        expected.reverse();
        prop_assert_eq!(runtime.block_on(list(&desk, &filter, NewestFirst, limit)), expected);
    }
}

#[tokio::test]
async fn letters_that_name_a_device_are_found_whatever_is_wrong_with_them() {
    let scene = Scene::new();
    scene.on_streams.put("a", 1, NotJson, "\u{1}356307042441013");
    scene.in_table.put("b", 2, TooLarge, r#"{"device_id":"356307042441013","#);
    scene.on_streams.put("a", 3, NotJson, r#"{"device_id":"35630704244101"}"#);
    let desk = scene.desk();
    let found = desk.letters_of(&samples::device(356_307_042_441_013)).await.unwrap().unwrap();
    let newest = EntryId { millis: 2, sequence: 0 }.received_at();
    assert_eq!(found, LettersOfDevice { count: 2, newest, reason: "too_large".into() });
    assert_eq!(desk.letters_of(&samples::device(1)).await, Ok(None));
}
