//! One connection, from its handshake to its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::app::App;
use crate::client_address::Peer;
use crate::serve::activity::{Activity, Verdict, Watched};
use crate::serve::identity::EdgeIdentity;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_BYTES: usize = 32 * 1024;
const HEADER_FIELDS: usize = 64;
const STREAMS: u32 = 64;
/// Bytes of a stream, and of all streams, that a sender may be ahead.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of a stream's answer kept for a reader.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that were reset and are still remembered (CVE-2023-44487, CVE-2025-8671).
const RESETS: usize = 20;
/// Longest wait for a refused connection's end.
const REFUSING: Duration = Duration::from_secs(1);
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

pub(super) struct Connection {
    pub(super) router: Router,
    pub(super) peer: Peer,
    pub(super) app: App,
    pub(super) tls: Option<Arc<EdgeIdentity>>,
    pub(super) shutdown: CancellationToken,
}

impl Connection {
    pub(super) async fn serve(self, stream: TcpStream) {
        // Without it small answers wait for the delayed acknowledgement; a failure costs time only.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.talk(stream).await;
        };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream).await,
            Ok(Err(error)) => tracing::debug!(event = "http.handshake_failed", %error, "no TLS connection"),
            Err(_) => tracing::debug!(event = "http.handshake_timeout", "no TLS connection in time"),
        }
    }

    /// Closes a connection that has no place, saying so where that needs no handshake. What was sent is read, since
    /// closing before that would take the answer away again.
    pub(super) async fn refuse(self, mut stream: TcpStream) {
        if self.tls.is_some() {
            return;
        }
        let telling = async {
            stream.write_all(REFUSAL).await?;
            stream.shutdown().await?;
            let mut sink = [0; 1024];
            while stream.read(&mut sink).await? > 0 {}
            Ok::<_, std::io::Error>(())
        };
        // The peer may be gone, which is as good.
        let _ = tokio::time::timeout(REFUSING, telling).await;
    }

    async fn talk<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Connection {
            router,
            peer,
            app,
            shutdown,
            ..
        } = self;
        let activity = Activity::new(&app.settings.http.limits);
        let requests = Arc::clone(&activity);
        let service = service_fn(move |request: Request<Incoming>| {
            let under_way = requests.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let router = router.clone();
            async move {
                router
                    .oneshot(request)
                    .await
                    .map(|response| response.map(|body| under_way.answer(body)))
            }
        });
        let stream = Watched {
            stream,
            activity: Arc::clone(&activity),
        };
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut closing = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(event = "http.connection_error", error, "a connection broke");
                    }
                    break;
                }
                () = shutdown.cancelled(), if !closing => {}
                verdict = activity.verdict() => if closing || verdict == Verdict::Stalled {
                    tracing::debug!(event = "http.connection_cut", ?verdict, "a connection was given up");
                    break;
                },
            }
            connection.as_mut().graceful_shutdown();
            activity.closing();
            closing = true;
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // How long headers may take is the whole connection's rule: see `activity`.
        .header_read_timeout(None)
        .max_headers(HEADER_FIELDS)
        .max_buf_size(HEADER_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX));
    builder
}
