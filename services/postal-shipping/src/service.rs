//! The composition root: everything the process consists of, put together once. Used by `main` and by tests.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wathiq_chassis::server::ServeError;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, ConfigError, GrpcServer, Readiness, TokenVerifier, client, status};
use wathiq_outbox::Relay;

use crate::app::{App, Printer};
use crate::carrier::Carrier;
use crate::config::Settings;
use crate::workers::Rhythm;
use crate::{clients, grpc, migrate, workers};

/// Origin of the service's events.
const SOURCE: &str = "wathiq/postal-shipping";
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
    let issuer = settings.tokens.issuer.clone();
    let verifier = TokenVerifier::new(
        Arc::clone(&ambient.clock),
        issuer,
        clients::verification_keys(channel),
    );
    let app = Arc::new(app(&settings, ambient.clone())?);
    let server = grpc::add_services(
        GrpcServer::new(process, grpc::rules::RULES, Some(verifier))?
            .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET),
        &app,
    );
    let database = settings.database.connect_options()?;
    let relay = Relay::new(database, settings.kafka.clone(), SOURCE, ambient);
    let rhythm = Rhythm {
        announce: Duration::from_millis(settings.carrier.announce_milliseconds),
        watch: Duration::from_secs(settings.silence.watch_seconds),
    };

    let background = TaskTracker::new();
    background.spawn(relay.run(shutdown.clone()));
    background.spawn(workers::announce(Arc::clone(&app), rhythm, shutdown.clone()));
    background.spawn(workers::watch(Arc::clone(&app), rhythm, shutdown.clone()));
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

/// What use cases work with.
///
/// # Errors
/// [`ConfigError`].
pub fn app(settings: &Settings, ambient: Ambient) -> Result<App, ConfigError> {
    Ok(App {
        pool: settings.database.pool()?,
        ambient,
        codes: settings.codes.read()?,
        low_water: settings.numbers.low_water(),
        silence: settings.silence.limits(),
        retention: settings.retention.times()?,
        inbound_secrets: settings.carrier.inbound_secrets()?,
        carrier: Carrier::new(&settings.carrier)?,
        printer: Printer::default(),
    })
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
