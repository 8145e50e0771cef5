//! The plain listener for probes and metrics: kubelet and Prometheus present no certificate, so it stands apart and
//! the network keeps others from it.
//!
//! `GET /livez` (the process runs), `GET /readyz` (it takes work; otherwise 503 with the checks that fail),
//! `GET /metrics` (Prometheus text), and `grpc.health.v1.Health`, HTTP/1.1 and HTTP/2 on one port.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, service::Routes};
use tonic_health::ServingStatus;
use tower::Service;

use crate::telemetry::names::READY;

/// Histograms are folded this often, so that memory stays bounded when nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);
const LAST_ANSWERS: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whether the process takes work. Shared by cloning.
///
/// It is ready when at least one check has been set, all of them are fine and [`Readiness::shut_down`] was not
/// called.
#[derive(Clone)]
pub struct Readiness {
    state: Arc<RwLock<State>>,
    ready: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    checks: BTreeMap<&'static str, bool>,
    stopping: bool,
}

impl Readiness {
    /// Not ready: nothing has been checked.
    pub fn new() -> Self {
        Self {
            state: Arc::default(),
            ready: watch::Sender::new(false),
        }
    }

    /// Says how a check stands: `database`, `schema`, `keys`.
    pub fn set(&self, check: &'static str, ok: bool) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.checks.insert(check, ok) != Some(ok) {
            tracing::info!(
                event = "readiness.check",
                check,
                ok,
                "a readiness check has changed"
            );
        }
        self.publish(&state);
    }

    /// Not ready any more, whatever the checks say: the first step of stopping.
    pub fn shut_down(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.stopping = true;
        self.publish(&state);
    }

    /// Whether the process takes work.
    pub fn ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Waits until the process takes work.
    pub async fn wait_ready(&self) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        drop(self.ready.subscribe().wait_for(|ready| *ready).await);
    }

    fn publish(&self, state: &State) {
        let ready = state.is_ready();
        self.ready
            .send_if_modified(|known| std::mem::replace(known, ready) != ready);
        metrics::gauge!(READY).set(if ready { 1.0 } else { 0.0 });
    }

    /// What stands in the way, a word each.
    fn obstacles(&self) -> Vec<&'static str> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let failing = state
            .checks
            .iter()
            .filter(|(_, ok)| !**ok)
            .map(|(check, _)| *check);
        let whole = [
            ("stopping", state.stopping),
            ("starting", state.checks.is_empty()),
        ];
        failing
            .chain(
                whole
                    .into_iter()
                    .filter(|(_, holds)| *holds)
                    .map(|(word, _)| word),
            )
            .collect()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Readiness")
            .field("obstacles", &self.obstacles())
            .finish()
    }
}

impl State {
    fn is_ready(&self) -> bool {
        !self.stopping && !self.checks.is_empty() && self.checks.values().all(|ok| *ok)
    }
}

/// Runs `work` with the operations listener around it, the order of a clean stop: at `shutdown` readiness turns first,
/// probes are answered "not ready" while `work` drains, and the listener ends after it.
pub async fn with_operations<T>(
    listener: TcpListener,
    readiness: Readiness,
    metrics: PrometheusHandle,
    shutdown: CancellationToken,
    work: impl Future<Output = T>,
) -> T {
    let stop = CancellationToken::new();
    let operations = tokio::spawn(serve_operations(
        listener,
        readiness.clone(),
        metrics,
        stop.clone(),
    ));
    let turn_first = tokio::spawn(async move {
        shutdown.cancelled().await;
        readiness.shut_down();
    });
    let output = work.await;
    turn_first.abort();
    stop.cancel();
    // The listener ends by itself within its bound; how it ends changes nothing for the work done.
    drop(operations.await);
    output
}

/// Serves probes and metrics until `shutdown`, which turns readiness off as well. See [`with_operations`] for a process
/// whose calls in flight must end first.
pub async fn serve_operations(
    listener: TcpListener,
    readiness: Readiness,
    metrics: PrometheusHandle,
    shutdown: CancellationToken,
) {
    let (reporter, health) = tonic_health::server::health_reporter();
    let operations = Arc::new(Operations {
        readiness: readiness.clone(),
        metrics: metrics.clone(),
        health: Routes::new(health).prepare(),
    });
    let mut ready = readiness.ready.subscribe();
    let background = tokio::spawn(async move {
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            let status = if *ready.borrow_and_update() {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            };
            reporter.set_service_status("", status).await;
            tokio::select! {
                changed = ready.changed() => if changed.is_err() { break },
                _ = upkeep.tick() => metrics.run_upkeep(),
            }
        }
    });
    accept(listener, operations, shutdown, &readiness).await;
    background.abort();
}

async fn accept(
    listener: TcpListener,
    operations: Arc<Operations>,
    shutdown: CancellationToken,
    readiness: &Readiness,
) {
    let connections = GracefulShutdown::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let watcher = connections.watcher();
                tokio::spawn(serve(Arc::clone(&operations), stream, watcher));
            }
            Err(error) => {
                tracing::warn!(event = "operations.accept_failed", %error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    readiness.shut_down();
    drop(tokio::time::timeout(LAST_ANSWERS, connections.shutdown()).await);
}

async fn serve(
    operations: Arc<Operations>,
    stream: TcpStream,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = service_fn(move |request| Arc::clone(&operations).answer(request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(event = "operations.connection_error", error, "a connection broke");
    }
}

struct Operations {
    readiness: Readiness,
    metrics: PrometheusHandle,
    health: Routes,
}

impl Operations {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/livez") => Ok(text(StatusCode::OK, "ok\n")),
            (&Method::GET, "/readyz") if self.readiness.ready() => Ok(text(StatusCode::OK, "ready\n")),
            (&Method::GET, "/readyz") => {
                let obstacles = self.readiness.obstacles().join(", ");
                Ok(text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("not ready: {obstacles}\n"),
                ))
            }
            (&Method::GET, "/metrics") => Ok(text(StatusCode::OK, self.metrics.render())),
            (&Method::POST, path) if path.starts_with("/grpc.health.v1.Health/") => {
                self.health.clone().call(request).await
            }
            _ => Ok(text(StatusCode::NOT_FOUND, "not found\n")),
        }
    }
}

fn text(status: StatusCode, content: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(content.into())));
    *response.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
