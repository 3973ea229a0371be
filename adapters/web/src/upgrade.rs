//! From a request to a socket: everything that is decided before the handshake completes.

use std::sync::Arc;

use data_encoding::BASE64;
use hyper::upgrade::OnUpgrade;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use processor_domain::Credential;
use processor_live::{Live, Refusal, Session};
use tokio_util::sync::CancellationToken;

use crate::connections::Connections;
use crate::cookie::{Shown, session};
use crate::problem::Problem;
use crate::{SocketSettings, socket};

/// RFC 6455, section 1.3.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A key is so many random bytes.
const KEY_BYTES: usize = 16;

/// The connection that a request came on, to be had once it is answered with 101.
///
/// The framework's own handle of it writes only one slice at a time, which would cost a system call for each
/// message and one more for its header.
#[derive(Clone)]
pub(crate) struct Connection(pub(crate) OnUpgrade);

/// `GET /live`.
pub(crate) struct LiveSocket {
    live: Live,
    settings: SocketSettings,
    stop: CancellationToken,
    tasks: Arc<Connections>,
}

impl LiveSocket {
    /// Sockets run among `tasks`. When `stop` is cancelled nobody is let in any more.
    pub(crate) const fn new(
        live: Live,
        settings: SocketSettings,
        stop: CancellationToken,
        tasks: Arc<Connections>,
    ) -> Self {
        Self { live, settings, stop, tasks }
    }

    async fn answer(&self, mut request: Request) -> Result<Response, Problem> {
        let key = handshake_key(&request)?;
        let headers = request.headers();
        if !self.settings.origins.allow(headers) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "pages from there may not open the live socket",
            ));
        }
        let credential = self.credential(headers)?;
        let Some(Connection(connection)) = request.extensions_mut().remove() else {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "not_upgradable",
                "this connection cannot become a socket",
            ));
        };
        let session = self.admit(credential).await?;
        self.tasks.spawn(socket::serve(connection, session, self.settings.timing()));
        let response = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, accept(key.as_bytes()));
        Ok(response.finish())
    }

    fn credential(&self, headers: &HeaderMap) -> Result<Credential, Problem> {
        if self.settings.anonymous {
            return Ok(Credential::new(""));
        }
        match session(headers, &self.settings.cookie_name) {
            Shown::Session(credential) => Ok(credential),
            Shown::Nothing => Err(not_signed_in()),
            Shown::SeveralThings => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "ambiguous_session",
                "there are several session cookies, sign in again",
            )),
        }
    }

    async fn admit(&self, credential: Credential) -> Result<Session, Problem> {
        if self.stop.is_cancelled() {
            let stops = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "this instance stops");
            return Err(stops.retry_after(std::time::Duration::ZERO));
        }
        let within = self.settings.admit_within;
        let admitted = tokio::time::timeout(within, self.live.admit(credential)).await;
        admitted.unwrap_or(Err(Refusal::Unknown { retry_after: within })).map_err(|refusal| match refusal {
            Refusal::Nobody => not_signed_in(),
            Refusal::Unknown { retry_after } => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "identity_unknown",
                "who you are is not known at the moment",
            )
            .retry_after(retry_after),
            Refusal::AtCapacity { retry_after } => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "at_capacity",
                "there are as many sockets as there may be",
            )
            .retry_after(retry_after),
        })
    }
}

impl Endpoint for LiveSocket {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(self.answer(request).await.unwrap_or_else(|problem| {
            tracing::debug!(code = problem.code(), "a socket is not opened");
            problem.into_response()
        }))
    }
}

fn not_signed_in() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in first")
}

/// The key of a request that asks for a WebSocket as RFC 6455, section 4.2.1, says.
fn handshake_key(request: &Request) -> Result<HeaderValue, Problem> {
    let bad = |code, detail| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    let headers = request.headers();
    if request.method() != Method::GET || request.version() != Version::HTTP_11 {
        return Err(bad("not_a_handshake", "a socket is asked for with GET and HTTP/1.1"));
    }
    if !names(headers, &header::UPGRADE, "websocket") || !names(headers, &header::CONNECTION, "upgrade") {
        let upgrade = Problem::new(StatusCode::UPGRADE_REQUIRED, "not_a_socket", "ask for a WebSocket");
        return Err(upgrade
            .header(header::UPGRADE, HeaderValue::from_static("websocket"))
            .header(header::CONNECTION, HeaderValue::from_static("Upgrade")));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let version = Problem::new(StatusCode::UPGRADE_REQUIRED, "unknown_version", "the version is 13");
        return Err(version
            .header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .header(header::UPGRADE, HeaderValue::from_static("websocket"))
            .header(header::CONNECTION, HeaderValue::from_static("Upgrade")));
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key.as_bytes()) => Ok(key.clone()),
        _ => Err(bad("no_key", "the key of the handshake is 16 bytes in base 64")),
    }
}

fn is_key(text: &[u8]) -> bool {
    BASE64.decode(text).is_ok_and(|key| key.len() == KEY_BYTES)
}

/// Whether a header that is a list of words has this one.
fn names(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// The answer to a key: RFC 6455, section 4.2.2.
fn accept(key: &[u8]) -> String {
    let mut hash = sha1_smol::Sha1::from(key);
    hash.update(KEY_SUFFIX);
    BASE64.encode(&hash.digest().bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_answered_as_in_the_example_of_the_rfc() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    fn asked(
        change: impl Fn(poem::RequestBuilder) -> poem::RequestBuilder,
    ) -> Result<HeaderValue, (u16, &'static str)> {
        let request =
            Request::builder().header("Upgrade", "WebSocket").header("Connection", "keep-alive, Upgrade");
        let problem = |problem: Problem| {
            let code = problem.code();
            (problem.into_response().status().as_u16(), code)
        };
        handshake_key(&change(request).finish()).map_err(problem)
    }

    #[test]
    fn only_a_handshake_is_a_handshake() {
        const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
        let good = |request: poem::RequestBuilder| {
            request.header("Sec-WebSocket-Version", "13").header("Sec-WebSocket-Key", KEY)
        };
        assert_eq!(asked(good), Ok(HeaderValue::from_static(KEY)));
        assert_eq!(asked(|request| good(request).method(Method::POST)), Err((400, "not_a_handshake")));
        assert_eq!(asked(|request| good(request).version(Version::HTTP_10)), Err((400, "not_a_handshake")));
        let version = |version: &'static str| {
            asked(|request| request.header("Sec-WebSocket-Version", version).header("Sec-WebSocket-Key", KEY))
        };
        assert_eq!(version("8"), Err((426, "unknown_version")));
        let key = |key: &'static str| {
            asked(|request| request.header("Sec-WebSocket-Version", "13").header("Sec-WebSocket-Key", key))
        };
        for text in ["", "short", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ"] {
            assert_eq!(key(text), Err((400, "no_key")), "{text}");
        }
        assert_eq!(asked(|request| good(request).header("Sec-WebSocket-Key", KEY)), Err((400, "no_key")));
        let plain = handshake_key(&Request::builder().finish());
        assert_eq!(plain.map_err(|problem| problem.code()), Err("not_a_socket"));
    }
}
