//! One replica of an upstream and the connection to it.

use std::{
    net::SocketAddr,
    sync::{Mutex as StdMutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, sync::Mutex};
use tokio_rustls::TlsConnector;
use tonic::body::Body;

use crate::{BoxError, tls::TlsIdentity};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a replica that could not be reached is asked last.
const AVOID: Duration = Duration::from_secs(2);

pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    connection: Mutex<Option<SendRequest<Body>>>,
    failed_at: StdMutex<Option<Instant>>,
}

impl Endpoint {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: Mutex::default(),
            failed_at: StdMutex::default(),
        }
    }

    /// Whether a connection to it failed moments ago.
    pub(super) fn is_avoided(&self) -> bool {
        self.failed_at().is_some_and(|at| at.elapsed() < AVOID)
    }

    /// The connection that stands, or a new one.
    pub(super) async fn connection(
        &self,
        identity: &TlsIdentity,
        expected: &str,
        name: &ServerName<'static>,
    ) -> Result<SendRequest<Body>, BoxError> {
        let asked = Instant::now();
        let mut slot = self.connection.lock().await;
        if let Some(sender) = slot.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        if self.failed_at().is_some_and(|at| at > asked) {
            return Err("an attempt that this call waited for has failed".into());
        }
        let connecting = connect(self.address, identity, expected, name);
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(BoxError::from)
            .flatten()
        {
            Ok(sender) => {
                *slot = Some(sender.clone());
                self.set_failed_at(None);
                Ok(sender)
            }
            Err(error) => {
                *slot = None;
                self.set_failed_at(Some(Instant::now()));
                Err(error)
            }
        }
    }

    fn failed_at(&self) -> Option<Instant> {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_failed_at(&self, at: Option<Instant>) {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

async fn connect(
    address: SocketAddr,
    identity: &TlsIdentity,
    expected: &str,
    name: &ServerName<'static>,
) -> Result<SendRequest<Body>, BoxError> {
    identity.refresh_or_report();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = TlsConnector::from(identity.client_config(expected))
        .connect(name.clone(), stream)
        .await?;
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(event = "grpc.connection_error", %address, %error, "a connection broke");
        }
    });
    Ok(sender)
}
