//! A byte stream to a server, with or without TLS.

use std::io;
use std::sync::Arc;

use redis::ConnectionAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::ConnectError;

/// What a connection talks through.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Where a server listens.
#[derive(Clone)]
pub(crate) struct Address {
    host: Box<str>,
    port: u16,
    /// `None` without TLS.
    tls: Option<TlsConnector>,
}

impl Address {
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if there is no way to connect to such an address.
    pub(crate) fn new(address: &ConnectionAddr) -> Result<Self, ConnectError> {
        match address {
            ConnectionAddr::Tcp(host, port) => {
                Ok(Self { host: host.as_str().into(), port: *port, tls: None })
            }
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                Err(ConnectError::invalid("url", "TLS without verification (#insecure) is not supported"))
            }
            ConnectionAddr::TcpTls { host, port, .. } => {
                Ok(Self { host: host.as_str().into(), port: *port, tls: Some(tls()?) })
            }
            _ => Err(ConnectError::invalid("url", "only redis:// and rediss:// are supported")),
        }
    }

    pub(crate) async fn open(&self) -> io::Result<Box<dyn Socket>> {
        let tcp = TcpStream::connect((&*self.host, self.port)).await?;
        // A command is one small write, and its answer is waited for.
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(tcp)) };
        let name = ServerName::try_from(self.host.to_string()).map_err(io::Error::other)?;
        Ok(Box::new(tls.connect(name, tcp).await?))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// TLS that trusts whom the machine trusts; `SSL_CERT_FILE` names other roots.
fn tls() -> Result<TlsConnector, ConnectError> {
    // The pooled connections take the provider of the process. If there is one already, it stays.
    if ring::default_provider().install_default().is_err() {
        tracing::trace!("the process has its provider of cryptography already");
    }
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let reason = format!("rediss:// needs root certificates, and there are none ({unusable} unusable)");
        return Err(ConnectError::invalid("url", reason));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::invalid("url", error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
