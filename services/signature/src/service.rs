//! The composition root: everything the process consists of, put together once. Used by `main` and by tests.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wathiq_chassis::server::ServeError;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, ConfigError, GrpcServer, KeyFetch, Readiness, TokenVerifier, client, status};
use wathiq_outbox::{Consumer, Relay};

use crate::app::{App, fees, finish_issued, finish_seal};
use crate::clients::identity::{GrpcIdentity, Identity};
use crate::clients::payment::Payment;
use crate::config::Settings;
use crate::electronic_seals::ElectronicSeals;
use crate::events::consume::payables::{self, Payables};
use crate::storage::Objects;
use crate::{grpc, janitor, keys, migrate, pdf, timestamp, trust};

/// Origin of the service's events.
const SOURCE: &str = "wathiq/signature";
/// How often readiness looks at the database.
const READINESS_INTERVAL: Duration = Duration::from_secs(5);

/// Why the service did not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the listener has no address")]
    Listener(#[from] std::io::Error),
}

/// Serves until `shutdown`, then lets what is under way end.
///
/// # Errors
/// [`StartError`].
pub async fn serve(
    settings: Settings,
    listener: TcpListener,
    readiness: Readiness,
    ambient: Ambient,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    let process = &settings.process;
    let channel = client::channel(&settings.upstream.identity, &process.tls, &process.trust_domain)?;
    let identity = GrpcIdentity::new(channel);
    let verifier = verifier(&settings, &ambient, identity.clone());
    let payment = match &settings.upstream.payment {
        Some(upstream) => {
            let channel = client::channel(upstream, &process.tls, &process.trust_domain)?;
            Some(Payment::new(channel))
        }
        None => None,
    };
    let app = Arc::new(app(&settings, Arc::new(identity), payment, ambient.clone())?);
    let instance = match &settings.consumer.instance {
        Some(instance) => instance.clone(),
        None => format!("{}-{}", host_name(), listener.local_addr()?.port()),
    };
    let consumer = Consumer::new(
        payables::CONSUMER,
        instance,
        &[payables::TOPIC],
        app.pool.clone(),
        settings.kafka.clone(),
    );
    let told = Payables::new(ambient.clone(), settings.requests.clone());
    let server = grpc::add_services(
        GrpcServer::new(process, grpc::rules::RULES, Some(verifier))?
            .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET),
        &app,
    );
    let relay = Relay::new(
        settings.database.connect_options()?,
        settings.kafka.clone(),
        SOURCE,
        ambient,
    );

    let background = TaskTracker::new();
    background.spawn(relay.run(shutdown.clone()));
    background.spawn(consumer.run(told, shutdown.clone()));
    background.spawn(fees::run(Arc::clone(&app), shutdown.clone()));
    background.spawn(janitor::run(Arc::clone(&app), shutdown.clone()));
    background.spawn(finish_seal::run(Arc::clone(&app), shutdown.clone()));
    background.spawn(finish_issued::run(Arc::clone(&app), shutdown.clone()));
    background.spawn(watch_database(app.pool.clone(), readiness, shutdown.clone()));
    background.close();
    let served = server.serve(listener, shutdown.clone()).await;
    // A listener that broke ends the process, and with it everything in the background.
    shutdown.cancel();
    app.tasks.close();
    let ended = futures::future::join(background.wait(), app.tasks.wait());
    if tokio::time::timeout(Duration::from_secs(process.drain_seconds), ended)
        .await
        .is_err()
    {
        tracing::warn!(
            event = "service.drain_timeout",
            "background work did not end in time"
        );
    }
    app.pool.close().await;
    Ok(served?)
}

/// What use cases work with.
///
/// # Errors
/// [`ConfigError`].
pub fn app(
    settings: &Settings,
    identity: Arc<dyn Identity>,
    payment: Option<Payment>,
    ambient: Ambient,
) -> Result<App, ConfigError> {
    settings.requests.check()?;
    Ok(App {
        pool: settings.database.pool()?,
        objects: Objects::open(&settings.storage)?,
        identity,
        payment,
        catalogue: Arc::new(settings.catalogue.read()?),
        requests: settings.requests.clone(),
        pdf: pdf::Pool::new(settings.pdf.clone()),
        keys: keys::Keys::new(&settings.keys),
        timestamp: timestamp::Client::new(&settings.timestamp, ambient.clone())?,
        trust: trust::Trust::new(&settings.trust, ambient.clone())?,
        seal: settings.seal.clone(),
        electronic_seals: ElectronicSeals::new(settings.electronic_seals.clone())?,
        tasks: TaskTracker::new(),
        ambient,
    })
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

fn verifier(settings: &Settings, ambient: &Ambient, identity: GrpcIdentity) -> TokenVerifier {
    let fetch: KeyFetch = Arc::new(move || {
        let identity = identity.clone();
        Box::pin(async move { identity.verification_keys().await })
    });
    TokenVerifier::new(Arc::clone(&ambient.clock), settings.tokens.issuer.clone(), fetch)
}

/// Ready means: the database answers and has this version's tables.
async fn watch_database(pool: PgPool, readiness: Readiness, shutdown: CancellationToken) {
    let mut interval = tokio::time::interval(READINESS_INTERVAL);
    while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
        let current = match check_database(&pool).await {
            Ok(current) => current,
            Err(error) => {
                tracing::warn!(
                    event = "service.database_unavailable",
                    error = status::chain(&error),
                    "not ready"
                );
                false
            }
        };
        readiness.set("database", current);
    }
}

async fn check_database(pool: &PgPool) -> Result<bool, migrate::MigrateError> {
    let mut conn = pool.acquire().await?;
    migrate::is_current(&mut conn).await
}
