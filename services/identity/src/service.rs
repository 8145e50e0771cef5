//! The composition root, for `main` and for tests.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::{
    Ambient, BoxError, ConfigError, GrpcServer, KeyFetch, Readiness, TokenVerifier, VerificationKey,
};
use wathiq_outbox::Relay;
use wathiq_proto::wathiq::identity::v1::account_service_server::AccountServiceServer;
use wathiq_proto::wathiq::identity::v1::confirmation_service_server::ConfirmationServiceServer;
use wathiq_proto::wathiq::identity::v1::directory_service_server::DirectoryServiceServer;
use wathiq_proto::wathiq::identity::v1::office_service_server::OfficeServiceServer;
use wathiq_proto::wathiq::identity::v1::session_service_server::SessionServiceServer;
use wathiq_proto::wathiq::identity::v1::specimen_service_server::SpecimenServiceServer;

use crate::app::bootstrap_administrator::{Bootstrapped, FirstAdministrator};
use crate::app::{self, App, KeyRing};
use crate::config::Settings;
use crate::crypto::password_hash::PasswordHasher;
use crate::grpc::rules::RULES;
use crate::grpc::{Accounts, Confirmations, Directory, Offices, Sessions, Specimens};
use crate::store::migrate::MigrateError;

/// Below every RPC deadline, so that a call learns why it waited.
const STATEMENT_TIMEOUT: &str = "8s";
const LOCK_TIMEOUT: &str = "5s";
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const TIDY_EVERY: Duration = Duration::from_secs(60);
const SCHEMA_POLL: Duration = Duration::from_millis(500);
const DATABASE_POLL: Duration = Duration::from_secs(5);

/// Why the service did not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    #[error("the certificates cannot be used")]
    Tls(#[from] wathiq_chassis::tls::TlsError),
    #[error("serving failed")]
    Serve(#[from] wathiq_chassis::server::ServeError),
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    App(#[from] app::Error),
}

/// Serves until `shutdown`, then drains. Ready once the schema is current.
///
/// # Errors
/// [`ServiceError`]. A database or a broker that is down is no error: calls answer UNAVAILABLE, events wait.
pub async fn serve(
    settings: Settings,
    listener: TcpListener,
    readiness: Readiness,
    shutdown: CancellationToken,
    ambient: Ambient,
) -> Result<(), ServiceError> {
    let application = settings.database.application()?;
    let app = Arc::new(build(&settings, application.clone(), ambient.clone())?);
    let verifier = TokenVerifier::new(
        ambient.clock.clone(),
        settings.tokens.issuer.clone(),
        own_keys(app.clone()),
    );
    let server = GrpcServer::new(&settings.process, RULES, Some(verifier))?
        .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
        .add_service(AccountServiceServer::new(Accounts(app.clone())))
        .add_service(SessionServiceServer::new(Sessions(app.clone())))
        .add_service(OfficeServiceServer::new(Offices(app.clone())))
        .add_service(SpecimenServiceServer::new(Specimens(app.clone())))
        .add_service(ConfirmationServiceServer::new(Confirmations(app.clone())))
        .add_service(DirectoryServiceServer::new(Directory(app.clone())));
    readiness.set("database", false);
    // Background work ends with the server, whether that ends by itself or is told to.
    let background = shutdown.child_token();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(watch_database(app.pool.clone(), readiness, background.clone()));
    tasks.spawn(tidy_now_and_then(app.clone(), background.clone()));
    if let Some(kafka) = settings.kafka.clone() {
        let relay = Relay::new(application, kafka, "wathiq/identity", ambient);
        tasks.spawn(relay.run(background.clone()));
    }
    let served = server.serve(listener, shutdown).await;
    background.cancel();
    tasks.join_all().await;
    app.pool.close().await;
    Ok(served?)
}

/// Brings the database up to date, as the owner role.
///
/// # Errors
/// [`ServiceError`].
pub async fn migrate(settings: &Settings) -> Result<(), ServiceError> {
    let role = settings.database.application()?.get_username().to_owned();
    let mut owner = settings.database.owner()?.connect().await?;
    crate::store::migrate::migrate(&mut owner, &role).await?;
    owner.close().await?;
    Ok(())
}

/// Makes the first administrator of the platform; works once.
///
/// # Errors
/// [`ServiceError::App`] with the refusal.
pub async fn bootstrap_administrator(
    settings: &Settings,
    ambient: Ambient,
    first: FirstAdministrator,
) -> Result<Bootstrapped, ServiceError> {
    let app = build(settings, settings.database.application()?, ambient)?;
    let made = app::bootstrap_administrator::bootstrap_administrator(&app, first).await?;
    app.pool.close().await;
    Ok(made)
}

/// What [`serve`] does once a minute, once.
///
/// # Errors
/// [`ServiceError`].
pub async fn tidy(settings: &Settings, ambient: Ambient) -> Result<(), ServiceError> {
    let app = build(settings, settings.database.application()?, ambient)?;
    app::tidy::tidy(&app).await?;
    app.pool.close().await;
    Ok(())
}

fn build(settings: &Settings, application: PgConnectOptions, ambient: Ambient) -> Result<App, ServiceError> {
    Ok(App {
        pool: pool(application, settings.database.connections),
        ambient,
        policy: settings.policy()?,
        quotas: settings.quota_rates()?,
        secrets: settings.read_secrets()?,
        hasher: PasswordHasher::default(),
        keys: KeyRing::default(),
    })
}

/// Connects at first need, so that the service starts at once and without a database.
fn pool(application: PgConnectOptions, connections: u32) -> PgPool {
    let application = application
        .application_name("identity")
        .options([
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("lock_timeout", LOCK_TIMEOUT),
        ])
        .log_statements(tracing::log::LevelFilter::Trace);
    PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .connect_lazy_with(application)
}

/// Identity verifies tokens with the keys of its own database.
fn own_keys(app: Arc<App>) -> KeyFetch {
    Arc::new(move || {
        let app = app.clone();
        Box::pin(async move {
            let published = app::list_verification_keys::list_verification_keys(&app)
                .await
                .map_err(BoxError::from)?;
            let key = |published: app::list_verification_keys::PublishedKey| VerificationKey {
                kid: published.key.id,
                public_key: published.key.public_key,
            };
            Ok(published.for_tokens.into_iter().map(key).collect())
        })
    })
}

/// Ready while the database answers and its schema is this version's.
async fn watch_database(pool: PgPool, readiness: Readiness, shutdown: CancellationToken) {
    let work = async {
        loop {
            let ready = is_current(&pool).await;
            readiness.set("database", ready);
            tokio::time::sleep(if ready { DATABASE_POLL } else { SCHEMA_POLL }).await;
        }
    };
    shutdown.run_until_cancelled(work).await;
}

async fn is_current(pool: &PgPool) -> bool {
    let Ok(mut conn) = pool.acquire().await else {
        return false;
    };
    crate::store::migrate::is_current(&mut conn)
        .await
        .unwrap_or(false)
}

async fn tidy_now_and_then(app: Arc<App>, shutdown: CancellationToken) {
    let work = async {
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            if let Err(error) = app::tidy::tidy(&app).await {
                let chain = wathiq_chassis::status::chain(&error);
                tracing::warn!(
                    event = "tidy.failed",
                    error = chain,
                    "tidying failed; it is tried again"
                );
            }
        }
    };
    shutdown.run_until_cancelled(work).await;
}
