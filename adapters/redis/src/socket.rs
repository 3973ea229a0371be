//! A byte stream to a server, with or without TLS.

use std::fmt;
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
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for T {}

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(out, "{}{}{}:{}", brackets.0, self.host, brackets.1, self.port)
    }
}

/// How bytes get to an address.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain,
    Tls(TlsConnector),
}

impl Transport {
    /// TLS that trusts whom the machine trusts; `SSL_CERT_FILE` names other roots.
    ///
    /// # Errors
    /// [`ConnectError::InvalidSetting`] if there is nobody to trust.
    pub(crate) fn tls() -> Result<Self, ConnectError> {
        // The pooled connections take the provider of the process. If there is one already, it stays.
        if ring::default_provider().install_default().is_err() {
            tracing::trace!("the process has its provider of cryptography already");
        }
        let mut roots = RootCertStore::empty();
        let (_, unusable) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let reason = format!("TLS needs root certificates, and there are none ({unusable} unusable)");
            return Err(ConnectError::invalid("url", reason));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ConnectError::invalid("url", error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::Tls(TlsConnector::from(Arc::new(config))))
    }

    pub(crate) async fn open(&self, address: &Address) -> io::Result<Box<dyn Socket>> {
        let tcp = TcpStream::connect((&*address.host, address.port)).await?;
        // A command is one small write, and its answer is waited for.
        tcp.set_nodelay(true)?;
        let Self::Tls(connector) = self else { return Ok(Box::new(tcp)) };
        let name = ServerName::try_from(address.host.to_string()).map_err(io::Error::other)?;
        Ok(Box::new(connector.connect(name, tcp).await?))
    }

    /// The same in the words of the client library.
    pub(crate) fn library_address(&self, address: &Address) -> ConnectionAddr {
        let (host, port) = (address.host.to_string(), address.port);
        match self {
            Self::Plain => ConnectionAddr::Tcp(host, port),
            Self::Tls(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        }
    }
}
