//! What the fuzz targets take hold of. It is there only when they are built.

use processor_live::Session;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::SocketSettings;

/// Serves a viewer on a connection on which the handshake is over.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(connection: S, session: Session) {
    crate::socket::Socket::new(connection, session, SocketSettings::default().timing()).serve().await;
}
