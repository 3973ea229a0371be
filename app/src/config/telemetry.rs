//! The part about traces: the standard variables of OpenTelemetry, as far as they mean something here.

use std::num::NonZeroUsize;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Reading, count, millis};

/// Most resource attributes, and most headers.
const MOST_PAIRS: usize = 64;

/// Where spans are sent, and how.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The collector, with the whole path.
    pub endpoint: Url,
    /// Sent with every export; they may hold a key, and are shown nowhere.
    pub headers: HeaderMap,
    /// How long an export may take.
    pub timeout: Duration,
    /// `service.name` of the resource.
    pub service_name: String,
    /// Further attributes of the resource.
    pub attributes: Vec<(String, String)>,
    /// How many of all traces are recorded, from 0 to 1.
    pub ratio: f64,
    /// Most spans that wait.
    pub queue: NonZeroUsize,
    /// Most spans in an export.
    pub batch: NonZeroUsize,
    /// How long a span waits at most until it is exported.
    pub delay: Duration,
}

/// `None` if no collector is named.
pub(super) fn telemetry(read: &mut Reading<'_>) -> Option<Telemetry> {
    let endpoint = endpoint(read);
    let arg = read.parsed("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", |text| ratio(text).map(Some));
    let ratio = read.parsed(
        "OTEL_TRACES_SAMPLER",
        "`always_on`, `always_off` or `traceidratio`, each also with `parentbased_` before it",
        // No trace of somebody else is continued here, so there is no parent that could decide.
        |text| match text.strip_prefix("parentbased_").unwrap_or(text) {
            "always_on" => Some(1.0),
            "always_off" => Some(0.0),
            "traceidratio" => Some(arg.unwrap_or(1.0)),
            _ => None,
        },
    );
    read.parsed("OTEL_EXPORTER_OTLP_PROTOCOL", "`http/protobuf`", |text| {
        (text == "http/protobuf").then_some(())
    });
    let headers = read.text("OTEL_EXPORTER_OTLP_HEADERS").map_or(Some(HeaderMap::new()), headers);
    if headers.is_none() {
        // Without the value: it may hold a key.
        read.fault("OTEL_EXPORTER_OTLP_HEADERS", "must be `name=value` pairs separated by commas");
    }
    let queue = read.number("OTEL_BSP_MAX_QUEUE_SIZE", 1..=1_000_000);
    let batch = read.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1..=10_000);
    if batch > queue {
        read.fault("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "must not be more than OTEL_BSP_MAX_QUEUE_SIZE");
    }
    let timeout =
        millis(read, "OTEL_EXPORTER_OTLP_TIMEOUT", 1).min(millis(read, "OTEL_BSP_EXPORT_TIMEOUT", 1));
    let telemetry = Telemetry {
        endpoint: endpoint.clone()?,
        headers: headers.unwrap_or_default(),
        timeout,
        service_name: read.text("OTEL_SERVICE_NAME").unwrap_or_default().to_owned(),
        attributes: read.parsed("OTEL_RESOURCE_ATTRIBUTES", "`name=value` pairs separated by commas", pairs),
        ratio,
        queue: count(queue),
        batch: count(batch),
        delay: millis(read, "OTEL_BSP_SCHEDULE_DELAY", 1),
    };
    Some(telemetry)
}

/// That for traces as it is, or the one for everything with the path of traces behind it.
fn endpoint(read: &mut Reading<'_>) -> Option<Url> {
    let (name, path) = match read.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        Some(_) => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", None),
        None => ("OTEL_EXPORTER_OTLP_ENDPOINT", Some("v1/traces")),
    };
    let url = Url::parse(read.text(name)?).ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        ["http", "https"].contains(&url.scheme()) && url.has_host() && plain
    });
    let Some(mut url) = url else {
        // Without the value: what is wrong with it may be that it has a password.
        read.fault(
            name,
            "must be a URL such as http://collector:4318, without a user (see OTEL_EXPORTER_OTLP_HEADERS)",
        );
        return None;
    };
    if let (Some(path), Ok(mut segments)) = (path, url.path_segments_mut()) {
        segments.pop_if_empty().extend(path.split('/'));
    }
    Some(url)
}

fn ratio(text: &str) -> Option<f64> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
}

fn headers(text: &str) -> Option<HeaderMap> {
    let header = |(name, value): (String, String)| {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    pairs(text)?.into_iter().map(header).collect()
}

/// `name=value` pairs separated by commas, as in the header `baggage` of W3C: what is special in a value is
/// percent-encoded.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let name = name.trim();
        (!name.is_empty()).then_some((name.to_owned(), percent_decoded(value.trim())?))
    });
    pairs.collect::<Option<Vec<_>>>().filter(|pairs| pairs.len() <= MOST_PAIRS)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            rest = after;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
impl Telemetry {
    /// Sends to `endpoint`, with the defaults.
    pub(crate) fn of(endpoint: Url) -> Self {
        Self {
            endpoint,
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(10),
            service_name: "processor".to_owned(),
            attributes: Vec::new(),
            ratio: 1.0,
            queue: count(2_048),
            batch: count(512),
            delay: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Fault, SETTINGS, Values};

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    fn read(given: &[(&str, &str)]) -> Result<Option<Telemetry>, Vec<Fault>> {
        let mut values = Values::default();
        for (name, value) in given {
            let setting = SETTINGS.iter().find(|setting| setting.name == *name).expect("a setting");
            values.set(setting, (*value).to_owned());
        }
        Config::read(&values).map(|config| config.telemetry)
    }

    #[test]
    fn there_is_none_without_an_endpoint() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_TRACES_SAMPLER", "always_on")]).unwrap().is_none());
    }

    #[test]
    fn the_path_of_traces_is_put_behind_the_endpoint_for_everything_alone() {
        let url = |given: &[(&str, &str)]| read(given).unwrap().unwrap().endpoint.to_string();
        assert_eq!(url(&[ENDPOINT]), "http://collector:4318/v1/traces");
        assert_eq!(url(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a/b/")]), "https://a/b/v1/traces");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces/here");
        assert_eq!(url(&[ENDPOINT, traces]), "http://traces/here");
        assert_eq!(url(&[traces]), "http://traces/here");
    }

    #[test]
    fn a_ratio_is_given_by_the_sampler_and_its_argument() {
        let ratio = |sampler, arg| {
            read(&[ENDPOINT, ("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", arg)])
                .map(|telemetry| telemetry.unwrap().ratio)
        };
        assert_eq!(ratio("", ""), Ok(1.0));
        assert_eq!(ratio("always_off", "1"), Ok(0.0));
        assert_eq!(ratio("traceidratio", "0.25"), Ok(0.25));
        assert_eq!(ratio("parentbased_traceidratio", "0.25"), Ok(0.25));
        assert_eq!(ratio("traceidratio", ""), Ok(1.0));
        assert!(ratio("jaeger_remote", "").is_err());
        for wrong in ["1.5", "-0.1", "NaN", "half"] {
            assert!(ratio("traceidratio", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn attributes_and_headers_are_pairs_that_may_be_percent_encoded() {
        let given = "deployment.environment.name=rally, a=b%2Cc%3D ,";
        let read_pairs = pairs(given).unwrap();
        let expected = [("deployment.environment.name", "rally"), ("a", "b,c=")];
        assert_eq!(read_pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for wrong in ["a", "=b", "a=%", "a=%2", "a=%zz", "a=%ff"] {
            assert_eq!(pairs(wrong), None, "{wrong}");
        }
        assert_eq!(pairs(&"a=b,".repeat(65)), None);
        let headers = headers("authorization=Bearer%20secret,x-tenant=1").unwrap();
        assert_eq!(headers["authorization"], "Bearer secret");
        assert!(!format!("{headers:?}").contains("secret"));
        assert_eq!(super::headers("not a name=1"), None);
        assert_eq!(super::headers("a=b%0d%0ac: d"), None);
    }

    #[test]
    fn faults_are_told_without_what_may_be_secret() {
        let faults = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ])
        .unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
    }
}
