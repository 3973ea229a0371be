use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;
use processor_tasks::chain;
use reqwest::header::HeaderMap;
use reqwest::{Client, Url, redirect};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::Telemetry as Settings;

/// Largest answer that is read, in bytes; what it says is how many spans were refused.
const ANSWER_LIMIT: usize = 64 * 1024;

/// A collector, spoken to over OTLP/HTTP with protobuf.
///
/// An export is tried once. A collector that is away is said to be so once, and once that it is back; what was
/// answered, and the headers, which may hold a key, are in no log.
pub(super) struct Collector {
    http: Client,
    endpoint: Url,
    headers: HeaderMap,
    away: AtomicBool,
}

impl Collector {
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let endpoint = settings.endpoint.clone();
        let http = Client::builder()
            .tls_backend_preconfigured(tls(endpoint.scheme() == "https")?)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .timeout(settings.timeout)
            .build()
            .context("no client for the collector")?;
        Ok(Self { http, endpoint, headers: settings.headers.clone(), away: AtomicBool::new(false) })
    }

    /// What exports to it.
    pub(super) fn exporter(self, resource: &Resource) -> Result<SpanExporter, ExporterBuildError> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(self.endpoint.as_str())
            .with_protocol(Protocol::HttpBinary)
            // Between two attempts the library would put the thread to sleep, a stop notwithstanding.
            .with_retry_policy(RetryPolicy::disabled())
            .with_http_client(self)
            .build()?;
        exporter.set_resource(resource);
        Ok(exporter)
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        headers.extend(self.headers.clone());
        let request = self.http.post(self.endpoint.clone()).headers(headers).body(body);
        let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err("the answer is too large".into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response::builder().status(answer.status()).body(body.into())?)
    }

    /// Says so if the collector went away or came back.
    fn tell(&self, outcome: Result<(), String>) {
        let away = outcome.is_err();
        if self.away.swap(away, Ordering::Relaxed) == away {
            return;
        }
        match outcome {
            Ok(()) => tracing::info!("the collector takes spans again"),
            Err(error) => {
                tracing::warn!(error, "the collector takes no spans; what it does not take is lost");
            }
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.ask(request).await;
        self.tell(match &answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("it answers with status {}", answer.status().as_u16())),
            Err(error) => Err(chain(&**error)),
        });
        answer
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Collector").finish_non_exhaustive()
    }
}

/// TLS that trusts whom the machine trusts (`SSL_CERT_FILE` names other roots); nobody if it is not `needed`.
fn tls(needed: bool) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if needed {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        anyhow::ensure!(!roots.is_empty(), "https:// needs root certificates, and there are none");
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
