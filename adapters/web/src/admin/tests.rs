#![expect(clippy::unused_async, reason = "handlers are futures")]

use std::sync::Arc;
use std::time::Duration;

use poem::Endpoint;
use poem::http::{Method, header};
use poem::test::{TestClient, TestResponse};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object};
use processor_admin::{LogLevel, LogLevels};
use processor_domain::ports::{
    MockDeviceMemory, MockDeviceRecords, MockEnrolments, MockHistory, MockLastPositions, MockMarks,
    MockRosterSource, SystemClock,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::limits::Place;
use super::*;

const TOKEN: &str = "an-admin-token-of-tests";

/// An area in which all goes wrong that can go wrong.
struct Trouble {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[derive(Object)]
struct Wish {
    number: u8,
}

#[derive(ApiResponse)]
enum Fault {
    /// `no_such_thing`: There is no such thing
    #[oai(status = 404)]
    Absent(Problem),
}

#[OpenApi]
impl Trouble {
    #[oai(path = "/things/:id", method = "get")]
    async fn thing(
        &self,
        id: Path<u8>,
        #[oai(validator(maximum(value = "9")))] most: Query<u8>,
    ) -> Result<Json<u8>, Fault> {
        let absent =
            Problem::new(StatusCode::NOT_FOUND, "no_such_thing", format!("there is no thing {}", id.0));
        if id.0 == most.0 { Ok(Json(id.0)) } else { Err(Fault::Absent(absent)) }
    }

    #[oai(path = "/things/new", method = "post")]
    async fn new_thing(&self) -> Json<u8> {
        Json(0)
    }

    #[oai(path = "/wishes", method = "post")]
    async fn wish(&self, wish: Json<Wish>) -> Json<u8> {
        Json(wish.0.number)
    }

    #[oai(path = "/panic", method = "get")]
    async fn panic(&self) -> Json<u8> {
        panic!("a handler may have a fault");
    }

    #[oai(path = "/wait", method = "get")]
    async fn wait(&self) -> Json<u8> {
        self.begun.notify_one();
        self.go_on.notified().await;
        Json(0)
    }

    /// Keeps its place for ever, as a stream may.
    #[oai(path = "/stream", method = "get")]
    async fn stream(&self, place: Data<&Place>) -> Json<u8> {
        std::mem::forget(place.0.clone());
        Json(0)
    }
}

fn trouble(limits: AdminLimits) -> (TestClient<impl Endpoint>, Arc<Notify>, Arc<Notify>) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let area = Trouble { begun: Arc::clone(&begun), go_on: Arc::clone(&go_on) };
    let api = api(area, AdminToken::new(TOKEN).unwrap(), limits);
    let route = Route::new().nest(PREFIX, api).at("/docs", page::docs("{}")).catch_all_error(as_problem);
    let client = TestClient::new(route).default_header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    (client, begun, go_on)
}

fn client(token: Option<&str>) -> TestClient<impl Endpoint> {
    let setting = SettingInForce {
        name: "REDIS_BLOCK_MS".to_owned(),
        value: "500".to_owned(),
        default: "1000".to_owned(),
        given: true,
        secret: false,
        meaning: "How long a read waits".to_owned(),
    };
    let ports = AdminPorts {
        configuration: vec![setting],
        devices: devices(),
        log_level: LogLevel::new(Arc::new(Log), "info"),
        consumers: Arc::default(),
        dead_letters: Arc::default(),
        history: Arc::new(MockHistory::new()),
        roster: Arc::new(MockRosterSource::new()),
        marks: Arc::new(MockMarks::none()),
    };
    let token = token.map(|token| AdminToken::new(token).unwrap());
    let admin = token.map_or_else(Admin::off, |token| Admin::new(token, ports, AdminLimits::default()));
    TestClient::new(admin.add_to(Route::new()).catch_all_error(as_problem))
}

/// A log that takes everything.
struct Log;

impl LogLevels for Log {
    fn change(&self, _: &str) -> bool {
        true
    }
}

fn devices() -> processor_admin::Devices {
    processor_admin::Devices {
        records: Arc::new(MockDeviceRecords::new()),
        last_positions: Arc::new(MockLastPositions::new()),
        letters: None,
        memory: Arc::new(MockDeviceMemory::new()),
        enrolments: Arc::new(MockEnrolments::new()),
        live: None,
        clock: Arc::new(SystemClock),
    }
}

/// The code of a problem, which says the same as the status.
async fn code(answer: TestResponse, status: StatusCode) -> String {
    answer.assert_status(status);
    answer.assert_content_type("application/problem+json");
    let problem: Value = answer.0.into_body().into_json().await.unwrap();
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["type"], "about:blank");
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    problem["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_is_answered_without_the_token() {
    let client = client(Some(TOKEN));
    let wrong =
        ["Bearer", "Bearer ", "Bearer another-admin-token", "Basic YTpi", TOKEN, &format!("Bearer {TOKEN} ")];
    for path in ["/admin/v1/configuration", "/admin/v1/nothing", "/admin/v1", "/admin/v1/"] {
        let answer = client.get(path).send().await;
        answer.assert_header(header::WWW_AUTHENTICATE, "Bearer realm=\"processor admin\"");
        assert_eq!(code(answer, StatusCode::UNAUTHORIZED).await, "unauthorized");
        for wrong in wrong {
            let answer = client.get(path).header(header::AUTHORIZATION, wrong).send().await;
            assert_eq!(code(answer, StatusCode::UNAUTHORIZED).await, "unauthorized", "{wrong:?}");
        }
        let twice = client.get(path).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        let twice = twice.header(header::AUTHORIZATION, format!("Bearer {TOKEN}")).send().await;
        assert_eq!(code(twice, StatusCode::UNAUTHORIZED).await, "unauthorized");
    }
}

#[tokio::test]
async fn the_configuration_is_shown_to_whoever_has_the_token() {
    let client = client(Some(TOKEN));
    let answer =
        client.get("/admin/v1/configuration").header(header::AUTHORIZATION, format!("bearer {TOKEN}"));
    let answer = answer.send().await;
    answer.assert_status_is_ok();
    let page: Value = answer.0.into_body().into_json().await.unwrap();
    let setting = json!({
        "name": "REDIS_BLOCK_MS", "value": "500", "default": "1000", "given": true, "secret": false,
        "meaning": "How long a read waits",
    });
    assert_eq!(page, json!({ "settings": [setting] }));
}

#[tokio::test]
async fn what_is_logged_can_be_changed_for_a_while() {
    let client = client(Some(TOKEN));
    let put = async |body: &Value| {
        let request =
            client.put("/admin/v1/log-level").header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        request.body_json(body).send().await
    };
    let answer = put(&json!({"directives": "warn,processor_redis=debug", "for_seconds": 60})).await;
    answer.assert_status_is_ok();
    let levels: Value = answer.0.into_body().into_json().await.unwrap();
    assert_eq!(levels, json!({"directives": "warn,processor_redis=debug", "configured": "info"}));
    let invalid = put(&json!({"directives": "bebug"})).await;
    assert_eq!(code(invalid, StatusCode::UNPROCESSABLE_ENTITY).await, "invalid_directives");
    for wrong in
        [json!({"directives": ""}), json!({"directives": "info", "for_seconds": 0}), json!({"level": "info"})]
    {
        assert_eq!(code(put(&wrong).await, StatusCode::BAD_REQUEST).await, "invalid_body", "{wrong}");
    }
}

#[tokio::test]
async fn without_a_token_there_is_no_admin_api() {
    let client = client(None);
    for path in ["/admin/v1/configuration", "/admin/v1", "/admin/v1/nothing"] {
        let answer = client.get(path).header(header::AUTHORIZATION, "Bearer ").send().await;
        assert_eq!(code(answer, StatusCode::NOT_FOUND).await, "admin_off", "{path}");
    }
    client.get("/openapi.json").send().await.assert_status_is_ok();
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_a_problem_with_a_code() {
    let (client, ..) = trouble(AdminLimits { body: 100, ..AdminLimits::default() });
    let get = async |path: &'static str, status| code(client.get(path).send().await, status).await;
    assert_eq!(get("/admin/v1/nothing", StatusCode::NOT_FOUND).await, "not_found");
    assert_eq!(get("/admin/v1", StatusCode::NOT_FOUND).await, "not_found");
    assert_eq!(get("/nothing", StatusCode::NOT_FOUND).await, "not_found");
    for (method, path, allowed) in [
        (Method::GET, "/admin/v1/wishes", "POST"),
        (Method::DELETE, "/admin/v1/things/1", "GET, HEAD"),
        (Method::POST, "/admin/v1/things/first", "GET, HEAD"),
        (Method::GET, "/admin/v1/things/new", "POST"),
        (Method::POST, "/docs", "GET, HEAD"),
    ] {
        let answer = client.request(method, path).send().await;
        answer.assert_header(header::ALLOW, allowed);
        assert_eq!(code(answer, StatusCode::METHOD_NOT_ALLOWED).await, "method_not_allowed", "{path}");
    }
    assert_eq!(get("/admin/v1/things/1?most=2", StatusCode::NOT_FOUND).await, "no_such_thing");
    for path in [
        "/admin/v1/things/x?most=1",
        "/admin/v1/things/1",
        "/admin/v1/things/1?most=x",
        "/admin/v1/things/1?most=10",
    ] {
        assert_eq!(get(path, StatusCode::BAD_REQUEST).await, "invalid_parameter", "{path}");
    }
    assert_eq!(get("/admin/v1/panic", StatusCode::INTERNAL_SERVER_ERROR).await, "internal");
    let post = async |body: String, media_type: &'static str, status| {
        let answer =
            client.request(Method::POST, "/admin/v1/wishes").content_type(media_type).body(body).send();
        code(answer.await, status).await
    };
    for body in ["", "{", "[]", "{}", r#"{"number":-1}"#, r#"{"number":256}"#, "\u{0}"] {
        let code = post(body.to_owned(), "application/json", StatusCode::BAD_REQUEST).await;
        assert_eq!(code, "invalid_body", "{body:?}");
    }
    let long = " ".repeat(101);
    assert_eq!(post(long, "application/json", StatusCode::PAYLOAD_TOO_LARGE).await, "body_too_large");
    let other =
        post("number=1".to_owned(), "application/x-www-form-urlencoded", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(other.await, "unsupported_media_type");
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_again() {
    let (client, begun, go_on) = trouble(AdminLimits { at_once: 1, ..AdminLimits::default() });
    let (waited, ()) = tokio::join!(client.get("/admin/v1/wait").send(), async {
        begun.notified().await;
        let answer = client.get("/admin/v1/things/1?most=1").send().await;
        answer.assert_header_exist(header::RETRY_AFTER);
        assert_eq!(code(answer, StatusCode::SERVICE_UNAVAILABLE).await, "busy");
        go_on.notify_one();
    });
    waited.assert_status_is_ok();
    client.get("/admin/v1/things/1?most=1").send().await.assert_status_is_ok();
}

#[tokio::test]
async fn an_answer_that_streams_keeps_its_place() {
    let (client, ..) = trouble(AdminLimits { at_once: 1, ..AdminLimits::default() });
    client.get("/admin/v1/stream").send().await.assert_status_is_ok();
    let answer = client.get("/admin/v1/things/1?most=1").send().await;
    assert_eq!(code(answer, StatusCode::SERVICE_UNAVAILABLE).await, "busy");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_in_time_is_given_up() {
    let (client, ..) = trouble(AdminLimits { time: Duration::from_secs(5), ..AdminLimits::default() });
    let answer = client.get("/admin/v1/wait").send().await;
    assert_eq!(code(answer, StatusCode::GATEWAY_TIMEOUT).await, "too_slow");
}

#[tokio::test]
async fn the_page_for_people_needs_nothing_from_elsewhere() {
    let answer = client(None).get("/docs").send().await;
    answer.assert_status_is_ok();
    answer.assert_content_type("text/html; charset=utf-8");
    let policy = answer.0.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let html = answer.0.into_body().into_string().await.unwrap();
    assert!(html.contains("\"/admin/v1/configuration\""), "the document is in the page");
    // A style, the program of the page, and what starts it.
    assert_eq!(policy.matches("'sha256-").count(), 3, "{policy}");
}

#[test]
fn every_problem_in_the_document_has_an_example_with_its_code() {
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{name} has no operationId");
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.starts_with('2') {
                    continue;
                }
                let content = response["content"].as_object().unwrap();
                let problem = &content["application/problem+json"];
                let examples = problem["examples"].as_object().unwrap();
                assert!(!examples.is_empty(), "{name} says of {status} no line \"`code`: sentence\"");
                assert_eq!(content.len(), 1, "{name} {status}");
            }
        }
    }
}

#[test]
fn what_need_not_be_there_may_be_null_and_nothing_else() {
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Finding"]["properties"]["advice"]["nullable"], true);
    assert_eq!(schemas["Finding"]["properties"]["code"]["nullable"], Value::Null);
    for (name, schema) in schemas.as_object().unwrap() {
        assert!(schema.get("properties").is_none_or(Value::is_object), "{name}");
    }
}

#[test]
fn no_path_is_described_by_two_areas_of_which_only_one_would_be_in_the_document() {
    let mut paths: Vec<_> =
        Areas::meta().into_iter().flat_map(|area| area.paths).map(|path| path.path).collect();
    paths.sort_unstable();
    let all = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), all);
}

/// `PROCESSOR_RENEW=1` writes the document instead.
#[test]
fn the_document_in_the_repository_is_that_of_the_program() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let document = openapi_document();
    if std::env::var_os("PROCESSOR_RENEW").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == document,
        "docs/openapi.json is not what the program says; if the change is meant, renew it: \
         PROCESSOR_RENEW=1 cargo test -p processor-web --lib admin::tests::the_document"
    );
}
