//! What a trace is told of a question: whom it was put to and what came of it. Nothing of who asks: the credential
//! is in a header, and headers are not told.
//!
//! Whoever has the same question at the same time waits for the same answer; the span is that of the first of them.
//! What is remembered is not asked, and has no span.

use reqwest::Url;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::failure::DirectusFailure;

/// A span with the attributes of an HTTP client; the wait for a turn is within it.
macro_rules! question {
    ($name:literal, $template:literal, $base:expr) => {
        info_span!(
            $name,
            otel.kind = "client",
            http.request.method = "GET",
            server.address = $base.host_str(),
            server.port = $base.port_or_known_default(),
            url.template = $template,
            url.full = Empty,
            http.response.status_code = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        )
    };
}

/// Whose is this?
pub(crate) fn identify(base: &Url) -> Span {
    question!("directus.identify", "/users/me", base)
}

/// May they see this?
pub(crate) fn may_see(base: &Url) -> Span {
    question!("directus.may_see", "/items/events/{id}", base)
}

/// A request was made for the question that is asked now. The base has neither user nor password, that is checked.
pub(crate) fn asked(url: &Url) {
    Span::current().record("url.full", url.as_str());
}

/// An answer with this status came.
pub(crate) fn answered(status: reqwest::StatusCode) {
    Span::current().record("http.response.status_code", status.as_u16());
}

/// The question that is asked now is not answered.
pub(crate) fn failed(failure: &DirectusFailure) {
    let span = Span::current();
    match failure {
        DirectusFailure::Status { status, .. } => span.record("error.type", tracing::field::display(status)),
        other => span.record("error.type", other.kind()),
    };
    span.record("otel.status_code", "error");
}
