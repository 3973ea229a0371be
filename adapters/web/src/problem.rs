//! What goes wrong with a request, as RFC 9457 says it.

use std::borrow::Cow;
use std::time::Duration;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde::Serialize;

/// An answer that is not what was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
}

impl Problem {
    /// With a stable code, and the same in words for people.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None, headers: Vec::new() }
    }

    /// It may be otherwise after about this time.
    ///
    /// What is answered is by chance up to twice as long, so that those who are turned away together do not come
    /// back together.
    pub(crate) const fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// With this header.
    pub(crate) fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, retry_after, headers } = self;
        let title = status.canonical_reason().unwrap_or("Problem");
        let body = Body { r#type: "about:blank", title, status: status.as_u16(), code, detail: &detail };
        // A struct of text and a number has no reason to fail.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::builder()
            .status(status)
            .content_type("application/problem+json")
            .header(header::CACHE_CONTROL, "no-store")
            .body(body);
        if let Some(time) = retry_after {
            let least = time.as_secs().max(1);
            let seconds = rand::random_range(least..=least.saturating_mul(2));
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn says_the_same_to_programs_and_to_people() {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in first");
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.content_type(), Some("application/problem+json"));
        assert_eq!(
            response.into_body().into_string().await.unwrap(),
            r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"not_signed_in","detail":"sign in first"}"#
        );
    }

    #[test]
    fn those_who_are_turned_away_together_do_not_come_back_together() {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", "full");
        let problem = problem.retry_after(Duration::from_secs(30));
        let seconds = || -> u64 {
            let response = problem.clone().into_response();
            response.header(header::RETRY_AFTER).unwrap().parse().unwrap()
        };
        let waits: std::collections::BTreeSet<_> = (0..100).map(|_| seconds()).collect();
        assert!(waits.iter().all(|wait| (30..=60).contains(wait)), "{waits:?}");
        assert!(waits.len() > 5, "{waits:?}");
        let at_once =
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", "full").retry_after(Duration::ZERO);
        assert_ne!(at_once.into_response().header(header::RETRY_AFTER), Some("0"));
    }
}
