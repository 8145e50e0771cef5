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
use wathiq_documents::Engine;
use wathiq_outbox::{Consumer, Relay};

use crate::app::{App, drive};
use crate::clients::identity::Identity;
use crate::clients::payment::Payment;
use crate::clients::postal_shipping::PostalShipping;
use crate::clients::signature::Signature;
use crate::config::Settings;
use crate::documents::aside::Aside;
use crate::events::consume::{self, Consume};
use crate::storage::Objects;
use crate::{grpc, janitor, migrate};

/// Origin of the service's events.
const SOURCE: &str = "wathiq/civil-registry-order";
/// How often readiness looks at the database.
const READINESS_INTERVAL: Duration = Duration::from_secs(5);

/// Why the service did not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the address of the listener is not known")]
    Listener(#[from] std::io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
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
    let office_cache = Duration::from_secs(settings.orders.office_seconds);
    let identity = Identity::new(channel, ambient.clone(), office_cache);
    let verifier = verifier(&settings, &ambient, identity.clone());
    let peer = |upstream| client::channel(upstream, &process.tls, &process.trust_domain);
    let clients = Clients {
        identity,
        payment: Payment::new(peer(&settings.upstream.payment)?),
        postal: PostalShipping::new(peer(&settings.upstream.postal_shipping)?),
        signature: Signature::new(peer(&settings.upstream.signature)?),
    };
    let app = Arc::new(app(&settings, clients, ambient.clone())?);
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
    background.spawn(drive::run(
        Arc::clone(&app),
        settings.database.connect_options()?,
        shutdown.clone(),
    ));
    background.spawn(janitor::run(Arc::clone(&app), shutdown.clone()));
    background
        .spawn(consumer(&settings, &app, &listener)?.run(Consume::new(Arc::clone(&app)), shutdown.clone()));
    background.spawn(watch_database(app.pool.clone(), readiness, shutdown.clone()));
    background.close();
    let served = server.serve(listener, shutdown.clone()).await;
    // A listener that broke ends the process, and with it everything in the background.
    shutdown.cancel();
    if tokio::time::timeout(Duration::from_secs(process.drain_seconds), background.wait())
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

/// The services this one asks.
pub struct Clients {
    pub identity: Identity,
    pub payment: Payment,
    pub postal: PostalShipping,
    pub signature: Signature,
}

/// What use cases work with.
///
/// # Errors
/// [`ConfigError`].
pub fn app(settings: &Settings, clients: Clients, ambient: Ambient) -> Result<App, ConfigError> {
    settings.orders.check()?;
    Ok(App {
        pool: settings.database.pool()?,
        objects: Objects::open(&settings.storage)?,
        identity: clients.identity,
        payment: clients.payment,
        postal: clients.postal,
        signature: clients.signature,
        engine: Arc::new(Engine::new()),
        aside: Aside::new(None),
        orders: settings.orders.clone(),
        ambient,
    })
}

fn consumer(settings: &Settings, app: &App, listener: &TcpListener) -> Result<Consumer, std::io::Error> {
    let instance = match &settings.consumer.instance {
        Some(instance) => instance.clone(),
        None => format!("{}-{}", host_name(), listener.local_addr()?.port()),
    };
    let (pool, kafka) = (app.pool.clone(), settings.kafka.clone());
    Ok(Consumer::new(
        consume::CONSUMER,
        instance,
        consume::TOPICS,
        pool,
        kafka,
    ))
}

/// The name of this host or container, so that a replica that starts again is the same member of its group.
fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .unwrap_or_else(|_| "civil-registry-order".to_owned())
}

fn verifier(settings: &Settings, ambient: &Ambient, identity: Identity) -> TokenVerifier {
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
