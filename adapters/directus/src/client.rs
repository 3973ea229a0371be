//! One request to Directus.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, COOKIE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::answer::Answer;
use crate::failure::DirectusFailure;
use crate::settings::{DirectusSettings, InvalidSetting, TraceHeaders};
use crate::trace;

/// Largest answer that is read, in bytes. One that was asked for has about fifty.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a connection is kept that nobody uses. Node.js closes one after 5 s: better to be first than to send
/// a request into a connection that is about to go.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Bounds of the time for which Directus is left alone when it says that it is asked too much. It rounds to whole
/// seconds, so that "0" means less than one; and a minute is as long as any answer may be old.
const PAUSE: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);

/// Asks one Directus. Cookies it sets are ignored, redirects are not followed, no proxy stands between.
pub(crate) struct DirectusClient {
    http: Client,
    base: Url,
    cookie_name: Box<str>,
    trace_headers: Option<TraceHeaders>,
    timeout: Duration,
}

impl DirectusClient {
    pub(crate) fn new(settings: &DirectusSettings, base: Url) -> Result<Self, InvalidSetting> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let http = Client::builder()
            .tls_backend_preconfigured(tls(base.scheme() == "https")?)
            .http1_only()
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_max_idle_per_host(settings.max_in_flight.get())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|error| InvalidSetting::new("base_url", error))?;
        Ok(Self {
            http,
            base,
            cookie_name: settings.cookie_name.clone(),
            trace_headers: settings.trace_headers.clone(),
            timeout: settings.timeout,
        })
    }

    /// Where it is.
    pub(crate) const fn base(&self) -> &Url {
        &self.base
    }

    /// The id of what lies under `path`, as whoever has the cookie value `session` sees it.
    pub(crate) async fn id_of(&self, path: &[&str], session: &str) -> Result<Answer, DirectusFailure> {
        let mut url = self.url(path);
        url.set_query(Some("fields=id"));
        let mut cookie = HeaderValue::try_from(format!("{}={session}", self.cookie_name))
            .map_err(|_| DirectusFailure::Unexpected("was not asked for: the cookie cannot be sent"))?;
        cookie.set_sensitive(true);
        self.get(url, HeaderMap::from_iter([(COOKIE, cookie)])).await
    }

    /// Whether Directus is there at all.
    pub(crate) async fn ping(&self) -> Result<(), DirectusFailure> {
        let answer = self.get(self.url(&["server", "ping"]), HeaderMap::new()).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.neither_yes_nor_no());
        }
        match answer.body?.trim_ascii() {
            b"pong" => Ok(()),
            _ => Err(DirectusFailure::Unexpected("is not \"pong\": it is not Directus that answers")),
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // A URL that can have a scheme of http can have a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn get(&self, url: Url, mut headers: HeaderMap) -> Result<Answer, DirectusFailure> {
        for (name, value) in self.trace_headers.iter().flat_map(|headers| headers()) {
            // A trace is not worth a question: what cannot be a header, or would take the place of one, is left out.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.entry(name).or_insert(value);
            }
        }
        trace::asked(&url);
        let request = self.http.get(url).headers(headers);
        let response = request.send().await.map_err(|error| self.failure(error))?;
        trace::answered(response.status());
        Ok(Answer {
            status: response.status(),
            retry_after: retry_after(response.status(), response.headers()),
            body: self.body(response).await,
        })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, DirectusFailure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(DirectusFailure::TooLarge { limit: BODY_LIMIT });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failure(&self, error: reqwest::Error) -> DirectusFailure {
        if error.is_timeout() && !error.is_connect() {
            return DirectusFailure::TimedOut(self.timeout);
        }
        DirectusFailure::Request(error)
    }
}

/// How long to leave Directus alone: what it says with 429 or 503, and with 429 in any case. Only seconds are
/// read, not a date, for seconds is what it sends.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let told = || {
        let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds).clamp(*PAUSE.start(), *PAUSE.end()))
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(told().unwrap_or(*PAUSE.start())),
        StatusCode::SERVICE_UNAVAILABLE => told(),
        _ => None,
    }
}

/// TLS that trusts whom the machine trusts (`SSL_CERT_FILE` names other roots); nobody if it is not `needed`.
fn tls(needed: bool) -> Result<ClientConfig, InvalidSetting> {
    let mut roots = RootCertStore::empty();
    if needed {
        let (_, unusable) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let reason =
                format!("https:// needs root certificates, and there are none ({unusable} unusable)");
            return Err(InvalidSetting::new("base_url", reason));
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| InvalidSetting::new("base_url", error))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_behind_the_base_and_cannot_leave_it() {
        let url = |base: &str, path: &[&str]| {
            let settings = DirectusSettings::new(base);
            let base = settings.check().unwrap();
            DirectusClient::new(&settings, base).unwrap().url(path).to_string()
        };
        let event = ["items", "events", "42"];
        assert_eq!(url("http://cms:8055", &event), "http://cms:8055/items/events/42");
        assert_eq!(url("http://cms:8055/", &event), "http://cms:8055/items/events/42");
        assert_eq!(url("http://cms/directus", &event), "http://cms/directus/items/events/42");
        assert_eq!(url("http://cms/directus/", &event), "http://cms/directus/items/events/42");
        // No event id has such characters; if one had, it would still be one segment below the events.
        for hostile in ["../users/me", "a/b", "a?b", "a#b", "a%2fb", "..%2f", "a\\b"] {
            let url: Url = url("http://cms", &["items", "events", hostile]).parse().unwrap();
            let segments: Vec<&str> = url.path_segments().unwrap().collect();
            assert_eq!((segments.len(), &segments[..2]), (3, &["items", "events"][..]), "{hostile}");
            assert_eq!((url.query(), url.fragment()), (None, None), "{hostile}");
        }
    }

    #[test]
    fn directus_is_left_alone_for_as_long_as_it_says_within_reason() {
        let pause = |status: u16, told: Option<&'static str>| {
            let headers =
                told.map(|told| (RETRY_AFTER, HeaderValue::from_static(told))).into_iter().collect();
            retry_after(StatusCode::from_u16(status).unwrap(), &headers).map(|pause| pause.as_secs())
        };
        let table = [
            (429, Some("7"), Some(7)),
            (429, Some("0"), Some(1)),
            (429, Some("86400"), Some(60)),
            (429, Some("soon"), Some(1)),
            (429, Some("-1"), Some(1)),
            (429, None, Some(1)),
            (503, Some("7"), Some(7)),
            (503, None, None),
            (500, Some("7"), None),
            (200, Some("7"), None),
        ];
        for (status, told, expected) in table {
            assert_eq!(pause(status, told), expected, "{status} {told:?}");
        }
    }
}
