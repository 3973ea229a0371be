use poem::http::Method;
use poem::test::TestClient;
use poem::{Endpoint, EndpointExt, IntoEndpoint};
use processor_domain::ports::{MockMarks, StoreFailure};
use processor_domain::{Ruling as Said, samples};
use serde_json::{Value, json};

use super::*;
use crate::admin::as_problem;

fn client(marks: MockMarks) -> TestClient<impl Endpoint> {
    let service = poem_openapi::OpenApiService::new(Marks(Arc::new(marks)), "", "").into_endpoint();
    TestClient::new(service.catch_all_error(as_problem))
}

async fn ask(marks: MockMarks, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let client = client(marks);
    let request = client.request(method, path);
    let request = match body {
        Some(body) => request.body_json(&body),
        None => request,
    };
    let answer = request.send().await;
    let status = answer.0.status().as_u16();
    let body = answer.0.into_body().into_string().await.expect("it is text");
    (status, serde_json::from_str(&body).expect("it is JSON"))
}

fn made() -> processor_domain::Mark {
    let (from, to) = (samples::at("2026-05-01T10:00:00Z"), samples::at("2026-05-01T10:30:00Z"));
    processor_domain::Mark { at: to, ..samples::mark(7, 1, from, to, Said::Faulty) }
}

fn wish() -> Value {
    json!({
        "device_id": "000000000000001", "from": "2026-05-01T10:00:00Z", "to": "2026-05-01T10:30:00Z",
        "ruling": "faulty", "by": "race control", "why": "tracker in another car",
    })
}

#[tokio::test]
async fn a_mark_is_made_and_what_was_changed_is_told() {
    let mut marks = MockMarks::new();
    marks
        .expect_mark()
        .withf(|said| *said == made().said)
        .returning(|_| Ok(processor_domain::ports::Marked { mark: made(), positions: 3 }));
    let (status, told) = ask(marks, Method::POST, "/marks", Some(wish())).await;
    let expected = json!({
        "positions": 3,
        "mark": {
            "id": 7, "device_id": "000000000000001", "from": "2026-05-01T10:00:00.000Z",
            "to": "2026-05-01T10:30:00.000Z", "ruling": "faulty", "by": "race control",
            "why": "tracker in another car", "at": "2026-05-01T10:30:00.000Z", "taken_back": null,
        },
    });
    assert_eq!((status, told), (201, expected));
}

#[tokio::test]
async fn a_position_alone_is_marked_by_its_moment() {
    let mut marks = MockMarks::new();
    let alone = Span::moment(samples::at("2026-05-01T10:00:00.5Z"));
    marks
        .expect_mark()
        .withf(move |said| said.span == alone)
        .returning(|_| Ok(processor_domain::ports::Marked { mark: made(), positions: 1 }));
    let mut wish = wish();
    for name in ["from", "to"] {
        wish.as_object_mut().expect("an object").remove(name);
    }
    wish["at"] = "2026-05-01T10:00:00.5Z".into();
    assert_eq!(ask(marks, Method::POST, "/marks", Some(wish)).await.0, 201);
}

type Refusal = fn() -> MarkError;

#[tokio::test]
async fn what_cannot_be_marked_is_told_with_a_code() {
    let cases = [
        ("device_id", json!("a b"), 400, "invalid_device"),
        ("from", json!("yesterday"), 400, "invalid_time"),
        ("to", json!("2026-05-01T10:00:00Z"), 400, "invalid_span"),
        ("to", Value::Null, 400, "invalid_span"),
        ("at", json!("2026-05-01T10:00:00Z"), 400, "invalid_span"),
        ("by", json!(" "), 400, "invalid_words"),
        ("why", json!("a\nb"), 400, "invalid_words"),
        ("ruling", json!("perhaps"), 400, "invalid_body"),
    ];
    for (name, value, status, code) in cases {
        let mut wish = wish();
        wish[name] = value;
        let (found, problem) = ask(MockMarks::new(), Method::POST, "/marks", Some(wish)).await;
        assert_eq!((found, problem["code"].as_str()), (status, Some(code)), "{name}");
    }
    let refusals: [(Refusal, u16, &str); 3] = [
        (|| MarkError::TooMany { most: 10_000 }, 409, "too_many_marks"),
        (|| MarkError::TooMuch { most: 100_000 }, 422, "too_many_positions"),
        (
            || StoreError::Unavailable { kind: StoreFailure::Connection, cause: "gone".into() }.into(),
            503,
            "store_unavailable",
        ),
    ];
    for (refusal, status, code) in refusals {
        let mut marks = MockMarks::new();
        marks.expect_mark().returning(move |_| Err(refusal()));
        let (found, problem) = ask(marks, Method::POST, "/marks", Some(wish())).await;
        assert_eq!((found, problem["code"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn marks_are_listed_and_taken_back() {
    let mut marks = MockMarks::new();
    marks
        .expect_list()
        .withf(|query| query.device_id.is_some() && query.before == Some(MarkId(9)) && query.limit.get() == 5)
        .returning(|_| Ok(vec![made()]));
    let (status, told) = ask(marks, Method::GET, "/marks?device_id=1&before=9&limit=5", None).await;
    assert_eq!((status, &told["marks"][0]["id"]), (200, &json!(7)));

    let mut marks = MockMarks::new();
    marks.expect_take_back().returning(|id, by| {
        let taken_back = Some(processor_domain::TakenBack { by: by.clone(), at: made().at });
        let mark = processor_domain::Mark { taken_back, ..made() };
        Ok((id == MarkId(7)).then_some(processor_domain::ports::Marked { mark, positions: 3 }))
    });
    let (status, told) = ask(marks, Method::DELETE, "/marks/7?by=somebody%20else", None).await;
    assert_eq!((status, &told["mark"]["taken_back"]["by"]), (200, &json!("somebody else")));

    let mut marks = MockMarks::new();
    marks.expect_take_back().returning(|_, _| Ok(None));
    let (status, told) = ask(marks, Method::DELETE, "/marks/8?by=me", None).await;
    assert_eq!((status, told["code"].as_str()), (404, Some("no_such_mark")));
}
