use std::sync::Mutex;

use poem::Endpoint;
use poem::test::TestClient;
use poem_openapi::OpenApiService;
use processor_admin::Place;
use processor_domain::ports::{
    DeadLetterQueue, DeadLetterQueueError, MockDeadLetterQueue, MockPositionPublisher, PositionPublisher,
};
use processor_domain::{DeadLetterPage as Page, EntryId, KeptDeadLetter, OpenedDeadLetter};
use serde_json::{Value, json};

use super::*;
use crate::admin::as_problem;

const ID: EntryId = EntryId { millis: 1_777_629_600_000, sequence: 1 };

fn opened(payload: &[u8]) -> OpenedDeadLetter {
    let letter = KeptDeadLetter {
        stream: "telemetry:a/b".into(),
        id: ID,
        kept_at: ID.received_at(),
        entry_id: Some(EntryId { millis: 5, sequence: 0 }),
        reason: "invalid_time".into(),
        detail: "it has none".into(),
        deliveries: 2,
        instance: None,
        payload_bytes: payload.len() as u64,
    };
    OpenedDeadLetter { letter, payload: payload.into() }
}

/// One place with one letter, until it is discarded.
fn with_one_letter(payload: &'static [u8]) -> Arc<dyn DeadLetterQueue> {
    let there = Arc::new(Mutex::new(Some(opened(payload))));
    let mut queue = MockDeadLetterQueue::new();
    let of_stream = |stream: &str| stream == "telemetry:a/b";
    let shelf = Arc::clone(&there);
    queue.expect_page().returning(move |stream, _, after, _| {
        let found = shelf.lock().unwrap().clone().filter(|_| of_stream(stream) && after.is_none());
        let letters: Vec<_> = found.map(|opened| opened.letter).into_iter().collect();
        Ok(Page { next: letters.first().map(KeptDeadLetter::mark), letters })
    });
    let shelf = Arc::clone(&there);
    queue.expect_find().returning(move |stream, id| {
        Ok(shelf.lock().unwrap().clone().filter(|_| of_stream(stream) && id == ID))
    });
    queue.expect_discard().returning(move |stream, ids| {
        let wanted = of_stream(stream) && ids.contains(&ID);
        Ok(u64::from(wanted && there.lock().unwrap().take().is_some()))
    });
    Arc::new(queue)
}

fn away() -> Arc<dyn DeadLetterQueue> {
    let gone = || DeadLetterQueueError::Unavailable("gone".into());
    let mut queue = MockDeadLetterQueue::new();
    queue.expect_page().returning(move |_, _, _, _| Err(gone()));
    queue.expect_find().returning(move |_, _| Err(gone()));
    queue.expect_discard().returning(move |_, _| Err(gone()));
    Arc::new(queue)
}

fn client(stream: &str, queue: Arc<dyn DeadLetterQueue>) -> TestClient<impl Endpoint> {
    let mut publisher = MockPositionPublisher::new();
    publisher.expect_publish().returning(|_| Ok(()));
    let publisher: Arc<dyn PositionPublisher> = Arc::new(publisher);
    let places = [(Place::Table, queue)].into();
    let desk = DeadLetterDesk::new([(stream.into(), publisher)].into(), places, 100);
    let service = OpenApiService::new(DeadLetters::new(Arc::new(desk)), "", "");
    TestClient::new(poem::EndpointExt::catch_all_error(poem::Route::new().nest("/", service), as_problem))
}

async fn get(client: &TestClient<impl Endpoint>, path: &str) -> (u16, Value) {
    read(client.get(path).send().await).await
}

async fn read(answer: poem::test::TestResponse) -> (u16, Value) {
    let status = answer.0.status().as_u16();
    let body = answer.0.into_body().into_string().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

const LETTER: &str = "/dead-letters/table:1777629600000-1:telemetry:a%2Fb";

#[tokio::test]
async fn a_letter_is_listed_and_shown() {
    let client = client("telemetry:a/b", with_one_letter(br#"{"device_id":"1"}"#));
    let letter = json!({
        "id": "table:1777629600000-1:telemetry:a/b", "place": "table", "stream": "telemetry:a/b",
        "entry_id": "5-0", "kept_at": "2026-05-01T10:00:00.000Z", "reason": "invalid_time",
        "detail": "it has none", "deliveries": 2, "payload_bytes": 17,
    });
    let (status, page) =
        get(&client, "/dead-letters?order=oldest&limit=1&place=table&reason=invalid_time").await;
    assert_eq!((status, &page["dead_letters"]), (200, &json!([letter])));
    let next = page["next"].as_str().unwrap();
    let (status, page) = get(&client, &format!("/dead-letters?cursor={next}")).await;
    assert_eq!((status, page), (200, json!({ "dead_letters": [] })));

    let (status, shown) = get(&client, LETTER).await;
    let expected = json!({"dead_letter": letter, "encoding": "text", "payload": r#"{"device_id":"1"}"#});
    assert_eq!((status, shown), (200, expected));
}

#[tokio::test]
async fn what_is_not_json_is_shown_as_base64() {
    let client = client("telemetry:a/b", with_one_letter(b"\xFF\x00"));
    let (_, shown) = get(&client, LETTER).await;
    assert_eq!((&shown["encoding"], &shown["payload"]), (&json!("base64"), &json!("/wA=")));
}

#[tokio::test]
async fn one_is_redriven_once() {
    let client = client("telemetry:a/b", with_one_letter(b"{}"));
    let path = format!("{LETTER}/redrive");
    let (status, body) = read(client.post(&path).send().await).await;
    assert_eq!((status, body), (200, json!({"redriven": 1, "refused": []})));
    let (status, body) = read(client.post(&path).send().await).await;
    assert_eq!((status, &body["code"]), (404, &json!("no_such_dead_letter")));
}

#[tokio::test]
async fn why_one_is_not_redriven_is_said_by_a_code() {
    let empty = client("telemetry:a/b", with_one_letter(b""));
    let (status, body) = read(empty.post(format!("{LETTER}/redrive")).send().await).await;
    assert_eq!((status, &body["code"]), (409, &json!("no_payload")));
    let (status, body) = read(empty.post("/dead-letters/redrive").send().await).await;
    assert_eq!(
        (status, &body["redriven"], &body["refused"][0]["code"]),
        (200, &json!(0), &json!("no_payload"))
    );

    let unread = client("another", with_one_letter(b"{}"));
    let (status, body) = read(unread.post(format!("{LETTER}/redrive")).send().await).await;
    assert_eq!((status, &body["code"]), (409, &json!("stream_not_read")));
}

#[tokio::test]
async fn all_of_a_reason_are_redriven_or_discarded() {
    let path = "/dead-letters/redrive?reason=invalid_time";
    let answer = client("telemetry:a/b", with_one_letter(b"{}")).post(path).send().await;
    assert_eq!(read(answer).await, (200, json!({"redriven": 1, "refused": []})));
    let client = client("telemetry:a/b", with_one_letter(b"{}"));
    let (status, body) = read(client.delete("/dead-letters").send().await).await;
    assert_eq!((status, &body["code"]), (400, &json!("invalid_parameter")), "all at once are not discarded");
    let answer = client.delete("/dead-letters?reason=invalid_time").send().await;
    assert_eq!(read(answer).await, (200, json!({"discarded": 1})));
}

#[tokio::test]
async fn one_is_discarded_once() {
    let client = client("telemetry:a/b", with_one_letter(b"{}"));
    client.delete(LETTER).send().await.assert_status(StatusCode::NO_CONTENT);
    let (status, body) = read(client.delete(LETTER).send().await).await;
    assert_eq!((status, &body["code"]), (404, &json!("no_such_dead_letter")));
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let client = client("telemetry:a/b", with_one_letter(b"{}"));
    for (path, code) in [
        ("/dead-letters?limit=0", "invalid_parameter"),
        ("/dead-letters?limit=501", "invalid_parameter"),
        ("/dead-letters?reason=boredom", "invalid_parameter"),
        ("/dead-letters?place=drawer", "invalid_parameter"),
        ("/dead-letters?cursor=x", "invalid_cursor"),
        ("/dead-letters?cursor=._.", "invalid_cursor"),
        ("/dead-letters?cursor=.~.", "invalid_cursor"),
        ("/dead-letters/x", "invalid_dead_letter_id"),
        ("/dead-letters/table:1:a", "invalid_dead_letter_id"),
    ] {
        let (status, body) = get(&client, path).await;
        assert_eq!((status, &body["code"]), (400, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn a_place_that_is_away_is_said_to_be() {
    let client = client("telemetry:a/b", away());
    for path in ["/dead-letters", LETTER] {
        let (status, body) = get(&client, path).await;
        assert_eq!((status, &body["code"]), (503, &json!("unavailable")), "{path}");
        assert_eq!(body["detail"], "the place table of dead letters cannot be reached");
    }
    let (status, _) = read(client.post("/dead-letters/redrive").send().await).await;
    assert_eq!(status, 503);
}
