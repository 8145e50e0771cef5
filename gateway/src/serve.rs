//! The public listener: HTTP/1.1 and HTTP/2, with or without TLS. It is patient with slow lines, not with those who send
//! nothing, take nothing, or come in too great numbers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, Readiness};

use crate::app::App;
use crate::client_address::{Peer, among, limited_as};
use crate::config::Settings;
use crate::serve::connection::Connection;
use crate::serve::identity::{EdgeIdentity, IdentityError};
use crate::slots::{Full, Slot, Slots};

mod activity;
mod connection;
mod identity;

const DRAIN: Duration = Duration::from_secs(20);
/// An accept that fails for want of descriptors fails again at once: this long without trying.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that are told at once why they are closed; further ones are just closed.
const TOLD: usize = 64;

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
    let app = App::new(settings, ambient)?;
    let (router, _) = crate::router(app.clone());
    let door = Door {
        places: Slots::new(
            app.settings.http.limits.connections,
            app.settings.http.limits.connections_each,
        ),
        told: Arc::new(Semaphore::new(TOLD)),
        tls: tls.map(Arc::new),
        router,
        app,
    };
    readiness.set("listener", true);
    let connections = TaskTracker::new();
    let abandon = CancellationToken::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let served = door.serve(stream, Peer(peer), &shutdown);
                connections.spawn(abandon.clone().run_until_cancelled_owned(served));
            }
            Err(error) => {
                tracing::warn!(event = "http.accept_failed", %error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(event = "http.drain_timeout", "requests in flight are abandoned");
        abandon.cancel();
        connections.wait().await;
    }
    Ok(())
}

/// Who is let in.
struct Door {
    places: Arc<Slots>,
    told: Arc<Semaphore>,
    tls: Option<Arc<EdgeIdentity>>,
    router: Router,
    app: App,
}

impl Door {
    fn serve(
        &self,
        stream: TcpStream,
        peer: Peer,
        shutdown: &CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let place = self.place(peer.0.ip().to_canonical());
        let connection = Connection {
            router: self.router.clone(),
            peer,
            app: self.app.clone(),
            tls: self.tls.clone(),
            shutdown: shutdown.clone(),
        };
        let told = Arc::clone(&self.told);
        async move {
            match place {
                Ok(_place) => connection.serve(stream).await,
                Err(full) => {
                    let reason = match full {
                        Full::All => "all",
                        Full::Each => "address",
                    };
                    metrics::counter!("http_connections_refused_total", "reason" => reason).increment(1);
                    tracing::debug!(event = "http.connection_refused", reason, "too many connections");
                    if let Ok(_permit) = told.try_acquire() {
                        connection.refuse(stream).await;
                    }
                }
            }
        }
    }

    /// Everyone comes through a trusted proxy at the proxy's address, so that only the whole counts there.
    fn place(&self, address: IpAddr) -> Result<Slot, Full> {
        let proxy = among(address, &self.app.settings.http.trusted_proxies);
        self.places.take((!proxy).then(|| limited_as(address)))
    }
}
