//! Every error as an RFC 9457 problem: how it looks in the document, and what the framework's own errors become.

use std::time::Duration;

use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError};
use poem::http::{HeaderValue, StatusCode};
use poem::{Error, IntoResponse, Response};
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};
use poem_openapi::payload::Payload;
use poem_openapi::registry::MetaSchemaRef;
use serde_json::{Value, json};

use processor_domain::ports::StoreError;

use super::allow::not_allowed;
use crate::problem::Problem;

/// When to come again to a store that did not answer.
const COME_AGAIN: Duration = Duration::from_secs(5);

impl Payload for Problem {
    const CONTENT_TYPE: &'static str = "application/problem+json";

    /// The schema itself is added to the document, once.
    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("Problem".to_owned())
    }
}

/// How a problem looks, for the document.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "title": "Problem",
        "description": "Why there is no other answer, as in RFC 9457",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string", "description": "Always `about:blank`: the code says which problem it is"},
            "title": {"type": "string", "description": "The status in words"},
            "status": {"type": "integer", "description": "The status"},
            "code": {"type": "string", "description": "Says which problem it is, and stays the same"},
            "detail": {"type": "string", "description": "The same for people"},
        },
    })
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::from_response(problem.into_response())
    }
}

/// The answer to a request that failed.
pub(crate) async fn as_problem(error: Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    let (status, code) = if error.is::<ParseParamError>() || error.is::<ParsePathError>() {
        (StatusCode::BAD_REQUEST, "invalid_parameter")
    } else if error.is::<ParseRequestPayloadError>() {
        (StatusCode::BAD_REQUEST, "invalid_body")
    } else if error.is::<ContentTypeError>() {
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
    } else if error.is::<NotFoundError>() {
        (StatusCode::NOT_FOUND, "not_found")
    } else if error.is::<MethodNotAllowedError>() {
        // Whatever is not of an area can only be read.
        return not_allowed(HeaderValue::from_static("GET, HEAD")).into_response();
    } else if matches!(error.downcast_ref(), Some(ReadBodyError::PayloadTooLarge)) {
        (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large")
    } else if error.status().is_client_error() {
        (error.status(), "bad_request")
    } else {
        tracing::error!(%error, "an admin request failed for no known reason");
        return internal().into_response();
    };
    Problem::new(status, code, error.to_string()).into_response()
}

/// The store did not answer: logged here, once, for the answer does not say why.
pub(super) fn store_unavailable(error: &StoreError) -> Problem {
    tracing::warn!(error = processor_admin::chain(error), "an operator's question cannot be answered");
    let detail = "the store does not answer at the moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail).retry_after(COME_AGAIN)
}

/// What is answered when a handler panicked; the panic was logged by its hook.
pub(crate) fn internal() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault of the program; see its log")
}
