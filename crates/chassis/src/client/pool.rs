//! The replicas of an upstream, asked in turn.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Request, Response, uri::Authority};
use hyper::body::Incoming;
use rustls_pki_types::ServerName;
use tonic::{Status, body::Body};

use super::{endpoint::Endpoint, upstream_unavailable};
use crate::{
    config::UpstreamConfig,
    tls::{TlsError, TlsIdentity},
};

/// How long a resolved host name is good: new replicas get traffic within this time.
const RESOLVE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Pool {
    name: String,
    server_name: ServerName<'static>,
    identity: Arc<TlsIdentity>,
    addresses: Vec<String>,
    replicas: Mutex<Replicas>,
    next: AtomicUsize,
}

#[derive(Default)]
struct Replicas {
    endpoints: Vec<Arc<Endpoint>>,
    resolved_at: Option<Instant>,
}

impl Pool {
    pub(super) fn new(upstream: &UpstreamConfig, identity: Arc<TlsIdentity>) -> Result<Self, TlsError> {
        let name = upstream.server_name.clone();
        let server_name = ServerName::try_from(name.clone()).ok();
        let authority = name.parse::<Authority>().ok();
        let (Some(server_name), Some(_)) = (server_name, authority) else {
            return Err(TlsError::ServerName { name });
        };
        Ok(Self {
            name,
            server_name,
            identity,
            addresses: upstream.addresses.clone(),
            replicas: Mutex::default(),
            next: AtomicUsize::new(0),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Sends the request to the first replica, in turn, that takes it.
    pub(super) async fn send(self: &Arc<Self>, request: Request<Body>) -> Result<Response<Incoming>, Status> {
        let mut request = request;
        for endpoint in self.in_turn().await {
            // A connection that closes while the request is being handed over gives it back: once more on a new one.
            for _ in 0..2 {
                let connecting = endpoint.connection(&self.identity, &self.name, &self.server_name);
                let mut sender = match connecting.await {
                    Ok(sender) => sender,
                    Err(error) => {
                        let (upstream, address) = (&self.name, endpoint.address);
                        tracing::warn!(event = "grpc.connect_failed", upstream, %address, error, "not connected");
                        break;
                    }
                };
                match sender.try_send_request(request).await {
                    Ok(response) => return Ok(response),
                    Err(mut error) => match error.take_message() {
                        Some(unsent) => request = unsent,
                        None => return Err(self.broken(error.into_error())),
                    },
                }
            }
        }
        Err(upstream_unavailable(&self.name))
    }

    fn broken(&self, error: hyper::Error) -> Status {
        Status::try_from_error(Box::new(error)).unwrap_or_else(|error| {
            tracing::warn!(
                event = "grpc.call_broken",
                upstream = self.name,
                error,
                "a call broke off"
            );
            upstream_unavailable(&self.name)
        })
    }

    /// All replicas, beginning with the next one; those that failed moments ago come last.
    async fn in_turn(self: &Arc<Self>) -> Vec<Arc<Endpoint>> {
        let mut endpoints = self.endpoints().await;
        if !endpoints.is_empty() {
            let first = self.next.fetch_add(1, Ordering::Relaxed) % endpoints.len();
            endpoints.rotate_left(first);
            endpoints.sort_by_key(|endpoint| endpoint.is_avoided());
        }
        endpoints
    }

    async fn endpoints(self: &Arc<Self>) -> Vec<Arc<Endpoint>> {
        let (endpoints, fresh) = {
            let mut replicas = self.replicas();
            let fresh = replicas
                .resolved_at
                .is_some_and(|at| at.elapsed() < RESOLVE_EVERY);
            if !fresh && !replicas.endpoints.is_empty() {
                // One task refreshes; the others go on with what is known.
                replicas.resolved_at = Some(Instant::now());
            }
            (replicas.endpoints.clone(), fresh)
        };
        if endpoints.is_empty() {
            self.resolve().await;
            return self.replicas().endpoints.clone();
        }
        if !fresh {
            let pool = Arc::clone(self);
            tokio::spawn(async move { pool.resolve().await });
        }
        endpoints
    }

    async fn resolve(&self) {
        let mut found: Vec<SocketAddr> = Vec::new();
        for address in &self.addresses {
            match tokio::net::lookup_host(address).await {
                Ok(addresses) => found.extend(addresses),
                Err(error) => {
                    let upstream = &self.name;
                    tracing::warn!(event = "grpc.resolve_failed", upstream, address, %error, "unknown host");
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return;
        }
        let mut replicas = self.replicas();
        let known = std::mem::take(&mut replicas.endpoints);
        replicas.endpoints = found
            .into_iter()
            .map(|address| {
                let same = known.iter().find(|endpoint| endpoint.address == address);
                same.map_or_else(|| Arc::new(Endpoint::new(address)), Arc::clone)
            })
            .collect();
        replicas.resolved_at = Some(Instant::now());
    }

    fn replicas(&self) -> std::sync::MutexGuard<'_, Replicas> {
        self.replicas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
