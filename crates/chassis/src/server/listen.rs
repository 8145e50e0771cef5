//! Accepting connections, and letting them go.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Limits, Shared, call};
use crate::{
    telemetry::names::CONNECTIONS_REFUSED_TOTAL,
    tls::{PeerName, TlsIdentity, peer_name},
};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_STREAMS: u32 = 200;
/// An accept that fails for want of descriptors fails again at once: this long without trying.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(
    shared: Arc<Shared>,
    identity: Arc<TlsIdentity>,
    limits: Limits,
    listener: TcpListener,
    shutdown: CancellationToken,
) {
    let connections = TaskTracker::new();
    let abandon = CancellationToken::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let connection = Connection {
                    shared: Arc::clone(&shared),
                    identity: Arc::clone(&identity),
                    age: with_jitter(limits.connection_age),
                    shutdown: shutdown.clone(),
                };
                let abandon = abandon.clone();
                connections.spawn(async move { abandon.run_until_cancelled(connection.serve(stream)).await });
            }
            Err(error) => {
                tracing::warn!(event = "grpc.accept_failed", %error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            event = "grpc.drain_timeout",
            open = connections.len(),
            "calls in flight are abandoned"
        );
        abandon.cancel();
        connections.wait().await;
    }
}

struct Connection {
    shared: Arc<Shared>,
    identity: Arc<TlsIdentity>,
    age: Duration,
    shutdown: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        // Without it small answers wait for the delayed acknowledgement; a failure costs time only.
        drop(stream.set_nodelay(true));
        let acceptor = TlsAcceptor::from(self.identity.server_config());
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => match self.name(&stream) {
                Ok(peer) => self.talk(peer, stream).await,
                Err(problem) => refused("name", &problem),
            },
            Ok(Err(error)) => refused("handshake", &error.to_string()),
            Err(_elapsed) => refused("timeout", "no handshake in time"),
        }
    }

    fn name(&self, stream: &TlsStream<TcpStream>) -> Result<PeerName, String> {
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        peer_name(
            certificate.ok_or("no client certificate")?,
            self.identity.trust_domain(),
        )
    }

    async fn talk(self, peer: PeerName, stream: TlsStream<TcpStream>) {
        let service = service_fn(|request| call::handle(Arc::clone(&self.shared), peer.clone(), request));
        let mut connection = pin!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(KEEPALIVE_INTERVAL)
                .keep_alive_timeout(KEEPALIVE_TIMEOUT)
                .max_concurrent_streams(MAX_STREAMS)
                .serve_connection(TokioIo::new(stream), service)
        );
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.shutdown.cancelled() => None,
            () = tokio::time::sleep(self.age) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(event = "grpc.connection_error", client = peer.0, %error, "a connection broke");
        }
    }
}

fn refused(reason: &'static str, problem: &str) {
    metrics::counter!(CONNECTIONS_REFUSED_TOTAL, "reason" => reason).increment(1);
    tracing::info!(
        event = "grpc.connection_refused",
        reason,
        problem,
        "a connection was refused"
    );
}

/// Up to a tenth more, so that connections opened together are not closed together.
fn with_jitter(age: Duration) -> Duration {
    age.mul_f64(rand::random_range(1.0..1.1))
}
