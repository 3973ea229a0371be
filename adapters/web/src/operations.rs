//! For operators: is it alive, is it ready, what does it count.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::middleware::AddData;
use poem::web::{Data, Json};
use poem::{Endpoint, EndpointExt, IntoResponse, Response, Route, get, handler};
use serde::Serialize;

use crate::admin::{Admin, as_problem};

/// What the pages for operators show. All of it is remembered: no page opens a connection or waits.
pub trait Operations: Send + Sync {
    /// What keeps the process from being alive: tasks that are stuck. A service that is away is not among it,
    /// for a restart would not bring it back.
    fn deadlocks(&self) -> Vec<Trouble>;

    /// What keeps it from being ready.
    fn obstacles(&self) -> Vec<Trouble>;

    /// All metrics in the Prometheus text format.
    fn metrics(&self) -> String;
}

/// One reason for not being well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// A stable code.
    pub code: &'static str,
    /// The same in words.
    pub detail: String,
}

/// All is well.
#[derive(Serialize)]
struct Well {
    status: &'static str,
}

/// A problem as in RFC 9457 that says what all is wrong.
#[derive(Serialize)]
struct Unwell {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    causes: Vec<Trouble>,
}

/// `GET /healthz`, `GET /readyz`, `GET /metrics`, and the admin API.
pub fn operations(operations: Arc<dyn Operations>, admin: Admin) -> impl Endpoint {
    let health =
        Route::new().at("/healthz", get(healthz)).at("/readyz", get(readyz)).at("/metrics", get(metrics));
    admin.add_to(health).with(AddData::new(operations)).catch_all_error(as_problem)
}

#[handler]
fn healthz(Data(operations): Data<&Arc<dyn Operations>>) -> Response {
    health("alive", "stuck", operations.deadlocks())
}

#[handler]
fn readyz(Data(operations): Data<&Arc<dyn Operations>>) -> Response {
    health("ready", "not_ready", operations.obstacles())
}

fn health(well: &'static str, code: &'static str, causes: Vec<Trouble>) -> Response {
    if causes.is_empty() {
        return Json(Well { status: well }).with_header(header::CACHE_CONTROL, "no-store").into_response();
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let details: Vec<&str> = causes.iter().map(|cause| cause.detail.as_str()).collect();
    let problem = Unwell {
        r#type: "about:blank",
        title: "Service Unavailable",
        status: status.as_u16(),
        code,
        detail: details.join("; "),
        causes,
    };
    Json(problem)
        .with_status(status)
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_content_type("application/problem+json")
        .into_response()
}

#[handler]
fn metrics(Data(operations): Data<&Arc<dyn Operations>>) -> Response {
    Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(operations.metrics())
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::test::TestClient;

    struct Fake {
        deadlocks: Vec<Trouble>,
        obstacles: Vec<Trouble>,
    }

    impl Operations for Fake {
        fn deadlocks(&self) -> Vec<Trouble> {
            self.deadlocks.clone()
        }
        fn obstacles(&self) -> Vec<Trouble> {
            self.obstacles.clone()
        }
        fn metrics(&self) -> String {
            "a 1\n".to_owned()
        }
    }

    fn client(deadlocks: Vec<Trouble>, obstacles: Vec<Trouble>) -> TestClient<impl Endpoint> {
        TestClient::new(operations(Arc::new(Fake { deadlocks, obstacles }), Admin::off()))
    }

    #[tokio::test]
    async fn a_service_that_is_away_is_not_ready_but_alive() {
        let trouble = Trouble { code: "store_unavailable", detail: "the store does not answer".into() };
        let client = client(vec![], vec![trouble]);
        client.get("/healthz").send().await.assert_status_is_ok();
        let answer = client.get("/readyz").send().await;
        answer.assert_status(StatusCode::SERVICE_UNAVAILABLE);
        answer.assert_content_type("application/problem+json");
        answer
            .assert_text(concat!(
                r#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"not_ready","#,
                r#""detail":"the store does not answer","#,
                r#""causes":[{"code":"store_unavailable","detail":"the store does not answer"}]}"#,
            ))
            .await;
    }

    #[tokio::test]
    async fn a_stuck_task_is_not_alive() {
        let trouble = Trouble { code: "stuck", detail: "judge".into() };
        client(vec![trouble], vec![])
            .get("/healthz")
            .send()
            .await
            .assert_status(StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text() {
        let answer = client(vec![], vec![]).get("/metrics").send().await;
        answer.assert_header("content-type", "text/plain; version=0.0.4; charset=utf-8");
        answer.assert_text("a 1\n").await;
    }
}
