//! The composition root: everything the process consists of, put together once. Used by `main` and by tests.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wathiq_chassis::server::ServeError;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, ConfigError, GrpcServer, KeyFetch, Readiness, TokenVerifier, client, status};
use wathiq_documents::Engine;
use wathiq_outbox::Relay;

use crate::app::{App, Sessions, refused};
use crate::config::Settings;
use crate::domain::provider::Provider;
use crate::providers::Providers;
use crate::providers::cmi::Cmi;
use crate::providers::text_message::TextMessage;
use crate::{clients, grpc, janitor, migrate};

/// Origin of the service's events.
const SOURCE: &str = "wathiq/payment";
/// How often readiness looks at the database.
const READINESS_INTERVAL: Duration = Duration::from_secs(5);
/// Receipts drawn at the same time: each takes a core.
const DRAWING: usize = 2;

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
    let verifier = verifier(&settings, &ambient)?;
    let app = Arc::new(app(&settings, ambient.clone())?);
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
    background.spawn(janitor::run(
        Arc::clone(&app),
        settings.work.clone(),
        shutdown.clone(),
    ));
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
    settings.work.check()?;
    let mut providers = Providers::default();
    if let Some(config) = &settings.cmi {
        providers = providers.with(Provider::Cmi, Arc::new(Cmi::new(config, ambient.clone())?));
    }
    if let Some(config) = &settings.text_message {
        let driver = TextMessage::new(config, ambient.clone())?;
        providers = providers.with(Provider::TextMessage, Arc::new(driver));
    }
    if providers.offered().next().is_none() {
        return Err(ConfigError::key(
            "cmi",
            "one provider at least must be configured",
        ));
    }
    let seconds = |seconds: Option<u32>| TimeDelta::seconds(seconds.unwrap_or_default().into());
    Ok(App {
        pool: settings.database.pool()?,
        providers,
        policy: settings.work.policy(),
        sessions: Sessions {
            cmi: seconds(settings.cmi.as_ref().map(|cmi| cmi.session_seconds)),
            text_message: seconds(settings.text_message.as_ref().map(|text| text.session_seconds)),
        },
        receipt: settings.receipt.clone(),
        engine: Arc::new(Engine::new()),
        drawing: Semaphore::new(DRAWING),
        refused: refused::Quota::default(),
        ambient,
    })
}

fn verifier(settings: &Settings, ambient: &Ambient) -> Result<TokenVerifier, TlsError> {
    let process = &settings.process;
    let channel = client::channel(&settings.upstream.identity, &process.tls, &process.trust_domain)?;
    let fetch: KeyFetch = Arc::new(move || {
        let channel = channel.clone();
        Box::pin(async move { clients::verification_keys(channel).await })
    });
    Ok(TokenVerifier::new(
        Arc::clone(&ambient.clock),
        settings.tokens.issuer.clone(),
        fetch,
    ))
}

/// Ready means: the database answers and has this version's tables. A provider that is down makes nobody unready.
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
