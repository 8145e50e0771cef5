//! The composition root: everything the process consists of, put together once. Used by `main` and by tests.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wathiq_chassis::server::ServeError;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, ConfigError, GrpcServer, KeyFetch, Readiness, TokenVerifier, client, status};
use wathiq_outbox::{Consumer, Relay};

use crate::app::App;
use crate::clients::civil_registry_order::{GrpcOrders, Orders};
use crate::clients::identity::{GrpcIdentity, Identity};
use crate::clients::signature::{GrpcSignature, Signature};
use crate::config::Settings;
use crate::events::consume::{CONSUMER, Consume, TOPICS};
use crate::letter::House;
use crate::mail::Mailer;
use crate::text_message::HttpProvider;
use crate::{catalogue, grpc, migrate, sender};

/// Origin of the service's events.
const SOURCE: &str = "wathiq/notification";
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
    #[error("the address of the listener cannot be read")]
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
    let to = |upstream| client::channel(upstream, &process.tls, &process.trust_domain);
    let identity = GrpcIdentity::new(to(&settings.upstream.identity)?);
    let signature = GrpcSignature::new(to(&settings.upstream.signature)?);
    let orders = GrpcOrders::new(to(&settings.upstream.civil_registry_order)?);
    let verifier = verifier(&settings, &ambient, identity.clone());
    let app = Arc::new(app(
        &settings,
        Arc::new(identity),
        Arc::new(signature),
        Arc::new(orders),
        ambient.clone(),
    )?);
    let server = GrpcServer::new(process, grpc::rules::RULES, Some(verifier))?
        .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
        .add_service(grpc::service(&app));
    let instance = match &settings.consumer.instance {
        Some(instance) => instance.clone(),
        None => format!("{}-{}", host_name(), listener.local_addr()?.port()),
    };
    let consumer = Consumer::new(
        CONSUMER,
        instance,
        TOPICS,
        app.pool.clone(),
        settings.kafka.clone(),
    );
    let relay = Relay::new(
        settings.database.connect_options()?,
        settings.kafka.clone(),
        SOURCE,
        ambient.clone(),
    );
    let fallen_back = catalogue::without_tamazight().len();
    tracing::info!(
        event = "catalogue.read",
        fallen_back,
        "so many texts have no reviewed Tamazight: Arabic stands in"
    );

    let background = TaskTracker::new();
    background.spawn(relay.run(shutdown.clone()));
    background.spawn(consumer.run(Consume::new(ambient), shutdown.clone()));
    background.spawn(sender::run(
        Arc::clone(&app),
        settings.messages.concurrency,
        shutdown.clone(),
    ));
    background.spawn(watch_database(app.pool.clone(), readiness, shutdown.clone()));
    background.close();
    let told = tokio::spawn(moment_of(shutdown.clone()));
    let served = server.serve(listener, shutdown.clone()).await;
    // A listener that broke ends the process, and with it everything in the background.
    shutdown.cancel();
    let told = told.await.unwrap_or_else(|_| Instant::now());
    let drain = Duration::from_secs(process.drain_seconds).max(sender::drain(settings.hand_over()));
    if tokio::time::timeout_at(told + drain, background.wait())
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

/// When the process was told to end: what is still under way is given its time from then on.
async fn moment_of(shutdown: CancellationToken) -> Instant {
    shutdown.cancelled().await;
    Instant::now()
}

/// What use cases work with.
///
/// # Errors
/// [`ConfigError`].
pub fn app(
    settings: &Settings,
    identity: Arc<dyn Identity>,
    signature: Arc<dyn Signature>,
    orders: Arc<dyn Orders>,
    ambient: Ambient,
) -> Result<App, ConfigError> {
    settings.check()?;
    Ok(App {
        pool: settings.database.pool()?,
        identity,
        signature,
        orders,
        mailer: Mailer::new(&settings.mail)?,
        text_messages: Arc::new(HttpProvider::new(&settings.text)?),
        hand_over: settings.hand_over(),
        house: House {
            public_url: settings.messages.public_url.clone(),
            help: settings.help.clone(),
        },
        administration: settings.administration.read()?,
        attachment_limit: settings.mail.attachment_limit_bytes,
        ambient,
    })
}

/// The name of this machine or container: with the port it names a replica for as long as it lasts.
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
