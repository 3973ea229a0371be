use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

/// Gives the headers that tie a request to the trace in which it is made, as name and value: `traceparent` and
/// what goes with it. Called once for each request, in the span of the request.
pub type TraceHeaders = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

/// Longest time that a yes may be remembered: somebody who lost access is out within a minute.
const MOST_KEPT_YES: Duration = Duration::from_mins(1);

/// Longest time that a no may be remembered: somebody who was just let in does not wait to be believed.
const MOST_KEPT_NO: Duration = Duration::from_secs(5);

/// How to ask Directus, and how often.
#[derive(Clone)]
pub struct DirectusSettings {
    /// Where it is, `http://` or `https://`, with the path under which it is served, if there is one.
    pub base_url: Box<str>,
    /// Name of its session cookie: its setting `SESSION_COOKIE_NAME`.
    pub cookie_name: Box<str>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a question may take in all, the wait for a turn included.
    pub timeout: Duration,
    /// How long a question may wait for its turn, within `timeout`.
    pub turn_timeout: Duration,
    /// How long a yes is remembered, at most 60 s. Never past the end of the session that its token tells.
    pub keep_yes: Duration,
    /// How long a no is remembered, at most 5 s.
    pub keep_no: Duration,
    /// How many answers are remembered of each of the two questions; the one used least recently goes first.
    pub capacity: NonZeroUsize,
    /// Most requests that start within any second. Directus counts by address: several instances behind one
    /// address share its limit (its setting `RATE_LIMITER_POINTS`, 50 when it is turned on).
    pub requests_per_second: NonZeroUsize,
    /// Most requests under way at once.
    pub max_in_flight: NonZeroUsize,
    /// Headers that tie a request to its trace; none if there is no tracing.
    pub trace_headers: Option<TraceHeaders>,
}

impl DirectusSettings {
    /// Asks the Directus at `base_url`, with the default limits.
    #[must_use]
    pub fn new(base_url: impl Into<Box<str>>) -> Self {
        const fn count(number: usize) -> NonZeroUsize {
            NonZeroUsize::new(number).expect("not zero")
        }
        Self {
            base_url: base_url.into(),
            cookie_name: "directus_session_token".into(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            turn_timeout: Duration::from_secs(2),
            keep_yes: Duration::from_secs(30),
            keep_no: Duration::from_secs(5),
            capacity: const { count(20_000) },
            requests_per_second: const { count(40) },
            max_in_flight: const { count(16) },
            trace_headers: None,
        }
    }

    /// The base URL, if all settings make sense.
    pub(crate) fn check(&self) -> Result<Url, InvalidSetting> {
        let ranges = [
            ("connect_timeout", self.connect_timeout, Duration::MAX),
            ("timeout", self.timeout, Duration::MAX),
            ("turn_timeout", self.turn_timeout, self.timeout),
            ("keep_yes", self.keep_yes, MOST_KEPT_YES),
            ("keep_no", self.keep_no, MOST_KEPT_NO),
        ];
        for (setting, value, most) in ranges {
            let least = if setting.starts_with("keep") { Duration::ZERO } else { Duration::from_millis(1) };
            if value < least || value > most {
                return Err(InvalidSetting::new(setting, format!("must be from {least:?} to {most:?}")));
            }
        }
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.cookie_name.is_empty() || !self.cookie_name.bytes().all(token) {
            return Err(InvalidSetting::new("cookie_name", "cannot be the name of a cookie"));
        }
        self.base()
    }

    fn base(&self) -> Result<Url, InvalidSetting> {
        let invalid = |reason: &str| InvalidSetting::new("base_url", reason);
        let base: Url = self.base_url.parse().map_err(|error| InvalidSetting::new("base_url", error))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid("must begin with http:// or https://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(invalid("must have no user and no password: only the viewer's cookie is shown"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(invalid("must have no query and no fragment"));
        }
        Ok(base)
    }
}

/// Without the URL, which may hold a password until it has been checked.
impl fmt::Debug for DirectusSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cookie_name, connect_timeout, timeout, turn_timeout, keep_yes, keep_no, .. } = self;
        let Self { capacity, requests_per_second, max_in_flight, .. } = self;
        out.debug_struct("DirectusSettings")
            .field("cookie_name", cookie_name)
            .field("connect_timeout", connect_timeout)
            .field("timeout", timeout)
            .field("turn_timeout", turn_timeout)
            .field("keep_yes", keep_yes)
            .field("keep_no", keep_no)
            .field("capacity", capacity)
            .field("requests_per_second", requests_per_second)
            .field("max_in_flight", max_in_flight)
            .finish_non_exhaustive()
    }
}

/// A setting makes no sense; nothing was asked.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct InvalidSetting {
    /// Which.
    pub setting: &'static str,
    /// What is wrong with it. Never holds the value, which may be a secret.
    pub reason: Box<str>,
}

impl InvalidSetting {
    pub(crate) fn new(setting: &'static str, reason: impl fmt::Display) -> Self {
        Self { setting, reason: reason.to_string().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_senseless_values_are_not() {
        let sound = DirectusSettings::new("https://cms.example/directus/");
        assert!(sound.check().is_ok());
        let senseless: [fn(&mut DirectusSettings); 13] = [
            |settings| settings.base_url = "".into(),
            |settings| settings.base_url = "cms.example".into(),
            |settings| settings.base_url = "ftp://cms.example".into(),
            |settings| settings.base_url = "https://user:hunter2@cms.example".into(),
            |settings| settings.base_url = "https://cms.example/?access_token=hunter2".into(),
            |settings| settings.base_url = "https://cms.example/#top".into(),
            |settings| settings.cookie_name = "".into(),
            |settings| settings.cookie_name = "a=b; c".into(),
            |settings| settings.connect_timeout = Duration::ZERO,
            |settings| settings.timeout = Duration::ZERO,
            |settings| settings.turn_timeout = Duration::from_secs(6),
            |settings| settings.keep_yes = Duration::from_secs(61),
            |settings| settings.keep_no = Duration::from_secs(6),
        ];
        for spoil in senseless {
            let mut settings = sound.clone();
            spoil(&mut settings);
            let error = settings.check().unwrap_err();
            assert!(!format!("{settings:?} {error:?} {error}").contains("hunter2"), "{error}");
        }
    }
}
