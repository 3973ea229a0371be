use std::time::Duration;

use poem::http::header::ACCEPT;
use poem::test::{TestClient, TestResponse};
use poem::{Endpoint, EndpointExt, IntoEndpoint};
use processor_domain::ports::{HistoryPage, MockHistory, MockRosterSource, StoreFailure};
use processor_domain::{Faults, Kept, Position, Roster, samples};
use serde_json::Value;

use super::*;
use crate::admin::limits::limited;
use crate::admin::{AdminLimits, as_problem};

const SPAN: &str = "from=2026-05-01T10:00:00Z&to=2026-05-01T11:00:00Z";

/// One position a second of the devices asked for, five of each, on pages shorter than what is asked for, as they
/// may be.
fn page(query: &HistoryQuery, after: Option<HistoryCursor>, limit: NonZeroUsize) -> HistoryPage {
    let kept = |device: &DeviceId, number| {
        let ts = query.span.from().plus(Duration::from_secs(number));
        let position = Position { device_id: *device, ..samples::position().at_moment(ts).build() };
        Kept { position, faults: Faults::NONE, faulty: false }
    };
    let all = query.devices().iter().flat_map(|device| (0..5).map(move |number| kept(device, number)));
    let key = |kept: &Kept| HistoryCursor { device_id: kept.position.device_id, ts: kept.position.ts };
    let mut left: Vec<Kept> = all.filter(|kept| after.is_none_or(|after| key(kept) > after)).collect();
    let more = left.split_off(left.len().min(limit.get()).min(3));
    let next = (!more.is_empty()).then(|| left.last().map(key)).flatten();
    HistoryPage { positions: left, next }
}

fn five_of_each() -> MockHistory {
    let mut history = MockHistory::new();
    history.expect_page().returning(|query, after, limit| Ok(page(query, after, limit)));
    history
}

fn client(history: MockHistory) -> TestClient<impl Endpoint> {
    let mut roster = MockRosterSource::new();
    let event = EventId::parse("42").expect("an id");
    let pairs = [2, 1].map(|number| (samples::device(number), event.clone()));
    roster.expect_read_roster().returning(move || Ok(pairs.iter().cloned().collect::<Roster>()));
    let area = History::new(Arc::new(history), Arc::new(roster));
    let service = poem_openapi::OpenApiService::new(area, "", "").into_endpoint();
    TestClient::new(limited(service, AdminLimits::default()).catch_all_error(as_problem))
}

async fn code(answer: TestResponse) -> (u16, String) {
    let status = answer.0.status().as_u16();
    let body = answer.0.into_body().into_string().await.expect("it is text");
    let problem: Value = serde_json::from_str(&body).expect("it is a problem");
    (status, problem["code"].as_str().expect("it has a code").to_owned())
}

async fn lines(answer: TestResponse) -> Vec<String> {
    answer.assert_status_is_ok();
    let text = answer.0.into_body().into_string().await.expect("it is whole");
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn all_is_streamed_page_after_page() {
    let client = client(five_of_each());
    let answer = client.get(format!("/devices/1/history?{SPAN}")).send().await;
    answer.assert_content_type("application/x-ndjson");
    answer.assert_header("content-disposition", "attachment; filename=\"1.ndjson\"");
    assert_eq!(lines(answer).await.len(), 5);
    assert_eq!(lines(client.get(format!("/events/42/history?{SPAN}")).send().await).await.len(), 10);
}

#[tokio::test]
async fn with_a_limit_there_is_a_page_and_where_the_next_one_begins() {
    let client = client(five_of_each());
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let answer = client.get(format!("/events/42/history?{SPAN}&limit=4{cursor}")).send().await;
        cursor = answer.0.header("next-cursor").map_or_else(String::new, |next| format!("&cursor={next}"));
        all.extend(lines(answer).await);
    }
    assert_eq!((all.len(), cursor.as_str()), (10, ""));
    all.dedup();
    assert_eq!(all.len(), 10);
}

#[tokio::test]
async fn the_format_is_asked_for_by_name_or_by_media_type() {
    let client = client(five_of_each());
    for (format, accept, media) in [
        ("&format=csv", "application/gpx+xml", "text/csv; charset=utf-8; header=present"),
        ("", "application/gpx+xml", "application/gpx+xml"),
        ("", "*/*", "application/x-ndjson"),
        ("&format=geojson", "*/*", "application/geo+json"),
    ] {
        let request = client.get(format!("/devices/1/history?{SPAN}{format}")).header(ACCEPT, accept);
        request.send().await.assert_content_type(media);
    }
}

#[tokio::test]
async fn what_is_asked_in_a_wrong_way_is_told_with_a_code() {
    let client = client(five_of_each());
    for (path, expected) in [
        (format!("/devices/%20/history?{SPAN}"), (400, "invalid_device")),
        (format!("/events/a%2Fb/history?{SPAN}"), (400, "invalid_event")),
        ("/devices/1/history?from=yesterday&to=2026-05-01T10:00:00Z".into(), (400, "invalid_time")),
        (
            "/devices/1/history?from=2026-05-01T10:00:00Z&to=2026-05-01T10:00:00Z".into(),
            (400, "invalid_span"),
        ),
        (format!("/devices/1/history?{SPAN}&cursor=1"), (400, "invalid_cursor")),
        (format!("/devices/1/history?{SPAN}&limit=0"), (400, "invalid_parameter")),
        (format!("/devices/1/history?{SPAN}&format=pdf"), (400, "invalid_parameter")),
        ("/devices/1/history".into(), (400, "invalid_parameter")),
        (format!("/events/43/history?{SPAN}"), (404, "no_such_event")),
    ] {
        let (status, found) = code(client.get(&path).send().await).await;
        assert_eq!((status, found.as_str()), expected, "{path}");
    }
    let request = client.get(format!("/devices/1/history?{SPAN}")).header(ACCEPT, "image/png");
    assert_eq!(code(request.send().await).await, (406, "not_acceptable".into()));
}

/// The store goes away after so many pages.
fn going_away(pages: usize) -> MockHistory {
    let mut left = pages;
    let mut history = MockHistory::new();
    history.expect_page().returning(move |query, after, limit| {
        if left == 0 {
            return Err(StoreError::Unavailable { kind: StoreFailure::Connection, cause: "gone".into() });
        }
        left -= 1;
        Ok(page(query, after, limit))
    });
    history
}

#[tokio::test]
async fn a_store_that_is_away_is_a_problem_and_one_that_goes_away_later_cuts_the_answer_off() {
    let path = format!("/events/42/history?{SPAN}");
    for path in [path.clone(), format!("{path}&limit=10")] {
        let answer = client(going_away(0)).get(path).send().await;
        assert_eq!(code(answer).await, (503, "store_unavailable".into()));
    }
    let answer = client(going_away(2)).get(path).send().await;
    answer.assert_status_is_ok();
    assert!(answer.0.into_body().into_string().await.is_err(), "it does not end as if it were whole");
}

#[tokio::test]
async fn so_many_stream_at_once_and_one_more_is_told_to_come_again() {
    let client = client(five_of_each());
    let mut streaming = Vec::new();
    for _ in 0..EXPORTS {
        let answer = client.get(format!("/events/42/history?{SPAN}")).send().await;
        answer.assert_status_is_ok();
        streaming.push(answer);
    }
    let refused = client.get(format!("/events/42/history?{SPAN}")).send().await;
    assert_eq!(code(refused).await, (503, "too_many_exports".into()));
    drop(streaming);
    // Whoever is gone is noticed when there is something to be sent.
    let again = async {
        while !client.get(format!("/events/42/history?{SPAN}")).send().await.0.status().is_success() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), again).await.is_ok());
}
