//! The public listener: HTTP/1.1 and HTTP/2, with or without TLS, patient with slow readers and not with slow senders
//! of headers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, Readiness};

use crate::app::App;
use crate::client_address::Peer;
use crate::config::Settings;
use crate::serve::identity::{EdgeIdentity, IdentityError};

mod identity;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const DRAIN: Duration = Duration::from_secs(20);
/// An accept that fails for want of descriptors fails again at once: this long without trying.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const CONNECTIONS: usize = 2_000;
const HEADER_BYTES: usize = 32 * 1024;
const HEADER_FIELDS: usize = 64;
const STREAMS: u32 = 64;

/// Why the gateway cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the connections to the services cannot be set up")]
    Services(#[from] TlsError),
    #[error("the public listener's certificate or key cannot be used")]
    Certificate(#[source] IdentityError),
}

/// Serves until `shutdown`, then lets requests under way end.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    settings: Settings,
    ambient: Ambient,
    listener: TcpListener,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let tls = settings
        .http
        .tls
        .clone()
        .map(EdgeIdentity::load)
        .transpose()
        .map_err(ServeError::Certificate)?;
    let tls = tls.map(Arc::new);
    let (router, _) = crate::router(App::new(settings, ambient)?);
    readiness.set("listener", true);
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener, &room)).await {
        match accepted {
            Ok((stream, peer, permit)) => {
                let connection = Connection {
                    router: router.clone(),
                    peer,
                    watcher: connections.watcher(),
                    permit,
                };
                tokio::spawn(connection.serve(stream, tls.clone()));
            }
            Err(error) => {
                tracing::warn!(event = "http.accept_failed", %error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!(event = "http.drain_timeout", "requests in flight are abandoned");
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, Peer(peer), permit))
}

struct Connection {
    router: Router,
    peer: Peer,
    watcher: Watcher,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, stream: TcpStream, tls: Option<Arc<EdgeIdentity>>) {
        // Without it small answers wait for the delayed acknowledgement; a failure costs time only.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else {
            return self.talk(stream).await;
        };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream).await,
            Ok(Err(error)) => tracing::debug!(event = "http.handshake_failed", %error, "no TLS connection"),
            Err(_) => tracing::debug!(event = "http.handshake_timeout", "no TLS connection in time"),
        }
    }

    async fn talk<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Connection {
            router,
            peer,
            watcher,
            permit,
        } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(HEADER_FIELDS)
            .max_buf_size(HEADER_BYTES)
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX));
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(event = "http.connection_error", error, "a connection broke");
        }
        drop(permit);
    }
}
