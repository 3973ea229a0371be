//! What a trace is told: who was let in, how long they stayed, what they subscribed to. Of a frame nothing.
//!
//! ```text
//!  live.admit ────                            from the question to its answer
//!    └ live.session ─────────────────────     until the viewer is gone
//!        ├ live.subscribe ───
//!        └ live.subscribe          ───
//! ```
//!
//! What a span holds of a viewer is what they asked for, not who they are. That somebody still may be there is asked
//! again and again, for as long as they stay; these questions are traces of their own.

use processor_domain::EventId;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::Refusal;
use crate::doorkeeper::Unknown;
use crate::message::Close;

/// Somebody wants to be let in.
pub(crate) fn admit() -> Span {
    info_span!(parent: None, "live.admit", live.outcome = Empty, otel.status_code = Empty)
}

/// What they were told.
pub(crate) fn admitted(span: &Span, refusal: Option<&Refusal>) {
    let outcome = match refusal {
        None => "admitted",
        Some(Refusal::Nobody) => "nobody",
        Some(Refusal::Unknown { .. }) => "unknown",
        Some(Refusal::AtCapacity { .. }) => "at_capacity",
    };
    span.record("live.outcome", outcome);
    if matches!(refusal, Some(Refusal::Unknown { .. })) {
        span.record("otel.status_code", "error");
    }
}

/// Somebody was let in, within the span of that.
pub(crate) fn session() -> Span {
    info_span!("live.session", live.close_code = Empty)
}

/// Their socket is closed from here.
pub(crate) fn closed(session: &Span, why: Close) {
    session.record("live.close_code", why.code());
}

/// They subscribe to an event.
pub(crate) fn subscribe(session: &Span, event: &EventId) -> Span {
    info_span!(
        parent: session,
        "live.subscribe",
        live.event = event.as_str(),
        live.outcome = Empty,
        otel.status_code = Empty,
    )
}

/// What they were told.
pub(crate) fn answered(subscription: &Span, answer: &Result<bool, Unknown>) {
    let outcome = match answer {
        Ok(true) => "allowed",
        Ok(false) => "forbidden",
        Err(Unknown { .. }) => "unknown",
    };
    subscription.record("live.outcome", outcome);
    if answer.is_err() {
        subscription.record("otel.status_code", "error");
    }
}
