//! The live port: who comes in, and how everybody gets out again.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::endpoint::{DynEndpoint, ToDynEndpoint};
use poem::http::uri::Scheme;
use poem::http::{Request as HttpRequest, Response as HttpResponse, StatusCode};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get};
use processor_live::Live;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::connections::Connections;
use crate::page::Page;
use crate::problem::Problem;
use crate::upgrade::{Connection, LiveSocket};
use crate::{InvalidPage, PageConfig, SocketSettings};

/// Pause after a connection could not be accepted. The usual cause is that there are no file descriptors left, and
/// without a pause the loop would spin until there are.
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes that the system keeps of what is on its way to a viewer; it takes twice as many.
///
/// By itself it would take megabytes for a viewer who reads slowly, all of them positions that are old when they
/// arrive. What does not fit waits in the river, where newer ones take its place.
const SEND_BUFFER: usize = 128 << 10;

/// Bytes of the head of a request.
const HEAD_BYTES: usize = 16 << 10;

/// Serves the live socket (`GET /live`) and the page (`GET /`, its files, and `GET /config.json`).
///
/// Connections are served here and not by the framework's own server, which has no time limit for the head of a
/// request, does not pause when it cannot accept, and does not know of sockets when it stops.
pub struct LiveServer {
    live: Live,
    settings: SocketSettings,
    page: Arc<Page>,
}

/// What everybody who serves a connection needs.
struct Shared {
    endpoint: Box<dyn DynEndpoint<Output = Response>>,
    head_within: Duration,
    connection_at_most: Duration,
    local: LocalAddr,
    stop: CancellationToken,
}

impl LiveServer {
    /// A server for the sessions of `live`.
    ///
    /// # Errors
    /// [`InvalidPage`] if `page` has an address that cannot be allowed to the page.
    pub fn new(live: Live, settings: SocketSettings, page: &PageConfig) -> Result<Self, InvalidPage> {
        Ok(Self { live, settings, page: Arc::new(Page::new(page)?) })
    }

    /// Serves until `stop` is cancelled, which is to be what stops [`Live::run`] too: that closes every socket with
    /// 1001. Nobody is let in any more, and it returns when all are gone, at the latest after
    /// [`SocketSettings::stop_within`], when those that are left are cut off.
    ///
    /// # Cancel safety
    /// Not cancel safe: to stop it, cancel `stop` and wait.
    ///
    /// # Errors
    /// The listener is none: it has no address, or its connections cannot be set up.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let Self { live, settings, page } = self;
        let local = LocalAddr(listener.local_addr()?.into());
        // Connections have what their listener has.
        SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER)?;
        let tasks = Arc::new(Connections::default());
        let SocketSettings { head_within, connection_at_most, connections, stop_within, .. } = settings;
        let socket = LiveSocket::new(live, settings, stop.clone(), Arc::clone(&tasks));
        let endpoint = Box::new(ToDynEndpoint(routes(socket, page)));
        let shared = Shared { endpoint, head_within, connection_at_most, local, stop: stop.clone() };
        let shared = Arc::new(shared);
        let places = Arc::new(Semaphore::new(connections));
        let mut failing = false;
        while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &places)).await {
            match accepted {
                Ok((stream, remote, place)) => {
                    failing = false;
                    let shared = Arc::clone(&shared);
                    tasks.spawn(async move {
                        shared.connection(stream, remote).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "connections cannot be accepted, trying again until they can");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        tasks.finish(stop_within).await;
        Ok(())
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, RemoteAddr, Place)> {
    // It is never closed.
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, remote) = listener.accept().await?;
    // A frame must not wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    Ok((stream, RemoteAddr(remote.into()), place))
}

impl Shared {
    /// Serves a connection until it ends or becomes a socket.
    async fn connection(self: Arc<Self>, stream: TcpStream, remote: RemoteAddr) {
        let stop = self.stop.clone();
        let (head_within, at_most) = (self.head_within, self.connection_at_most);
        let service = service_fn(move |request| Arc::clone(&self).answer(request, remote.clone()));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_within)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let serving = async {
            tokio::select! {
                served = &mut connection => served,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        match tokio::time::timeout(at_most, serving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a connection broke"),
            Err(_) => {
                tracing::trace!("a connection that is no socket is closed, it was open for long enough");
            }
        }
    }

    async fn answer(
        self: Arc<Self>,
        mut request: HttpRequest<Incoming>,
        remote: RemoteAddr,
    ) -> Result<HttpResponse<impl Body<Data = Bytes, Error = io::Error> + use<>>, Infallible> {
        let connection = request.extensions_mut().remove().map(Connection);
        let mut request = Request::from((request, self.local.clone(), remote, Scheme::HTTP));
        if let Some(connection) = connection {
            request.extensions_mut().insert(connection);
        }
        Ok(HttpResponse::<_>::from(self.endpoint.get_response(request).await))
    }
}

fn routes(socket: LiveSocket, page: Arc<Page>) -> impl Endpoint<Output = Response> + use<> {
    Route::new()
        .at("/live", socket)
        .at("/", get(Arc::clone(&page)))
        .at("/:file", get(page))
        .catch_all_error(|error: poem::Error| async move { problem_of(&error).into_response() })
}

fn problem_of(error: &poem::Error) -> Problem {
    match error.status() {
        StatusCode::NOT_FOUND => Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here"),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this can only be read")
        }
        status => {
            tracing::error!(%error, "a request could not be answered");
            Problem::new(status, "failed", "it could not be answered")
        }
    }
}
