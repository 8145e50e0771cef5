//! One service with a database of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::{
    Ambient, ManualClock, Readiness, SecretFile, SystemRandom, TlsFiles, UpstreamConfig, status,
};
use wathiq_identity::Settings;
use wathiq_identity::config::{DatabaseSettings, SecretSettings};
use wathiq_outbox::testing::StoredEvent;
use wathiq_proto::wathiq::identity::v1::account_service_client::AccountServiceClient;
use wathiq_proto::wathiq::identity::v1::confirmation_service_client::ConfirmationServiceClient;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;
use wathiq_proto::wathiq::identity::v1::office_service_client::OfficeServiceClient;
use wathiq_proto::wathiq::identity::v1::session_service_client::SessionServiceClient;
use wathiq_proto::wathiq::identity::v1::specimen_service_client::SpecimenServiceClient;

/// A Sunday morning in Casablanca.
pub(crate) const START: &str = "2026-11-22T09:00:00Z";

/// A running service.
pub(crate) struct TestApp {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) settings: Settings,
    /// As the application role.
    pub(crate) pool: PgPool,
    pub(crate) gateway: Clients,
    pub(crate) signature: Clients,
    pub(crate) notification: Clients,
    pub(crate) readiness: Readiness,
    address: std::net::SocketAddr,
    pki: Pki,
    shutdown: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    database: String,
    counter: AtomicU32,
    _secrets: tempfile::TempDir,
}

/// The services as one peer sees them.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) accounts: AccountServiceClient<Channel>,
    pub(crate) sessions: SessionServiceClient<Channel>,
    pub(crate) offices: OfficeServiceClient<Channel>,
    pub(crate) specimens: SpecimenServiceClient<Channel>,
    pub(crate) confirmations: ConfirmationServiceClient<Channel>,
    pub(crate) directory: DirectoryServiceClient<Channel>,
    pub(crate) channel: Channel,
}

impl Clients {
    fn new(channel: Channel) -> Self {
        Self {
            accounts: AccountServiceClient::new(channel.clone()),
            sessions: SessionServiceClient::new(channel.clone()),
            offices: OfficeServiceClient::new(channel.clone()),
            specimens: SpecimenServiceClient::new(channel.clone()),
            confirmations: ConfirmationServiceClient::new(channel.clone()),
            directory: DirectoryServiceClient::new(channel.clone()),
            channel,
        }
    }
}

/// The parts that tests run on, as the test stack describes them.
pub(crate) struct Stack(Value);

impl Stack {
    pub(crate) fn read() -> Self {
        let path = std::env::var("WATHIQ_TEST_STACK").expect(
            "WATHIQ_TEST_STACK names the description of the test stack; run these tests with `make test`",
        );
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in the test stack"))
    }

    fn superuser(&self) -> PgConnectOptions {
        self.options()
            .username(self.text("/postgres/superuser"))
            .password(self.text("/postgres/superuser_password"))
    }

    fn options(&self) -> PgConnectOptions {
        let port = self.0["postgres"]["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .unwrap();
        let options = PgConnectOptions::new_without_pgpass()
            .host(self.text("/postgres/host"))
            .port(port);
        match self.0["postgres"]["ca"].as_str() {
            Some(ca) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
            None => options.ssl_mode(PgSslMode::Disable),
        }
    }

    fn url(&self, role: &str, database: &str) -> String {
        let ssl = match self.0["postgres"]["ca"].as_str() {
            Some(ca) => format!("sslmode=verify-full&sslrootcert={ca}"),
            None => "sslmode=disable".to_owned(),
        };
        let (host, port) = (self.text("/postgres/host"), &self.0["postgres"]["port"]);
        format!("postgres://{role}@{host}:{port}/{database}?{ssl}")
    }

    fn password_file(&self, role: &str) -> SecretFile {
        SecretFile::new(self.text(&format!("/postgres/roles/{role}")))
    }

    pub(crate) fn certificate(&self, file: &str) -> PathBuf {
        PathBuf::from(self.text("/kafka/certificates")).join(file)
    }

    async fn create_database(&self) -> String {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut superuser = self.superuser().database("postgres").connect().await.unwrap();
        let statement = format!("CREATE DATABASE \"{name}\" OWNER wathiq_identity_owner");
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut superuser)
            .await
            .unwrap();
        superuser.close().await.unwrap();
        name
    }

    async fn drop_database(&self, name: &str) {
        let mut superuser = self.superuser().database("postgres").connect().await.unwrap();
        let statement = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut superuser)
            .await
            .unwrap();
        superuser.close().await.unwrap();
    }
}

fn secrets(folder: &std::path::Path) -> SecretSettings {
    let file = |name: &str, byte: u8| {
        let path = folder.join(name);
        std::fs::write(&path, format!("{byte:02x}").repeat(32)).unwrap();
        SecretFile::new(path)
    };
    SecretSettings {
        delivery_key_file: file("delivery", 1),
        totp_key_file: file("totp", 2),
        signing_key_encryption_file: file("signing", 3),
        hash_key_file: file("hash", 4),
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// Starts with settings changed by the test.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings, &Stack)) -> Self {
        testing::telemetry();
        let (stack, pki, folder) = (Stack::read(), Pki::new(), tempfile::tempdir().unwrap());
        let database = stack.create_database().await;
        let mut settings = Settings {
            process: pki.process("identity"),
            database: DatabaseSettings {
                url: stack.url("wathiq_identity_app", &database),
                password_file: Some(stack.password_file("wathiq_identity_app")),
                owner_url: Some(stack.url("wathiq_identity_owner", &database)),
                owner_password_file: Some(stack.password_file("wathiq_identity_owner")),
                connections: 8,
            },
            kafka: None,
            secrets: secrets(folder.path()),
            tokens: Default::default(),
            sessions: Default::default(),
            totp: Default::default(),
            quotas: Default::default(),
        };
        change(&mut settings, &stack);
        wathiq_identity::migrate(&settings).await.unwrap();
        let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
        let ambient = Ambient {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, readiness) = (CancellationToken::new(), Readiness::new());
        let serving = wathiq_identity::serve(
            settings.clone(),
            listener,
            readiness.clone(),
            shutdown.clone(),
            ambient,
        );
        let server = tokio::spawn(async move { serving.await.unwrap() });
        let clients = |name: &str| Clients::new(pki.channel(name, "identity", address).unwrap());
        let options = settings.database.application().unwrap();
        Self {
            gateway: clients("gateway"),
            signature: clients("signature"),
            notification: clients("notification"),
            pool: PgPoolOptions::new().max_connections(2).connect_lazy_with(options),
            clock,
            settings,
            readiness,
            address,
            pki,
            shutdown,
            server,
            database,
            counter: AtomicU32::new(0),
            _secrets: folder,
        }
    }

    /// The services as any peer sees them.
    pub(crate) fn clients(&self, peer: &str) -> Clients {
        Clients::new(self.pki.channel(peer, "identity", self.address).unwrap())
    }

    /// A channel of a peer that knows this service, but whose own certificate another authority made.
    pub(crate) fn channel_of(&self, authority: &Pki, peer: &str) -> Channel {
        let files = TlsFiles {
            ca: self.pki.issue(peer).ca,
            ..authority.issue(peer)
        };
        let upstream = UpstreamConfig {
            addresses: vec![self.address.to_string()],
            server_name: "identity".to_owned(),
        };
        wathiq_chassis::client::channel(&upstream, &files, testing::TRUST_DOMAIN).unwrap()
    }

    /// A second replica on the same database.
    pub(crate) async fn replica(&self) -> Clients {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ambient = Ambient {
            clock: self.clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let serving = wathiq_identity::serve(
            self.settings.clone(),
            listener,
            Readiness::new(),
            self.shutdown.clone(),
            ambient,
        );
        tokio::spawn(async move { serving.await.unwrap() });
        Clients::new(self.pki.channel("gateway", "identity", address).unwrap())
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        wathiq_chassis::Clock::now(&*self.clock)
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// A number no other caller in this test gets.
    pub(crate) fn unique(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    /// Events not seen before, in order, marked as the relay would.
    pub(crate) async fn drain(&self) -> Vec<StoredEvent> {
        let mut conn = self.pool.acquire().await.unwrap();
        wathiq_outbox::testing::drain(&mut conn).await
    }

    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn owner(&self) -> PgConnection {
        self.settings.database.owner().unwrap().connect().await.unwrap()
    }

    /// Keeps everybody out of the database, or lets them in again.
    pub(crate) async fn cut_off(&self, cut_off: bool) {
        let mut superuser = Stack::read()
            .superuser()
            .database("postgres")
            .connect()
            .await
            .unwrap();
        let allow = format!(
            "ALTER DATABASE \"{}\" ALLOW_CONNECTIONS {}",
            self.database, !cut_off
        );
        sqlx::query(AssertSqlSafe(allow))
            .execute(&mut superuser)
            .await
            .unwrap();
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&self.database)
            .execute(&mut superuser)
            .await
            .unwrap();
        superuser.close().await.unwrap();
    }

    /// Stops the service and removes its database.
    pub(crate) async fn finish(self) {
        self.shutdown.cancel();
        let bound = std::time::Duration::from_secs(20);
        tokio::time::timeout(bound, self.server)
            .await
            .expect("the service drains in time")
            .unwrap();
        self.pool.close().await;
        Stack::read().drop_database(&self.database).await;
    }
}

pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// The status of a refusal; answers that hold secrets do not print.
pub(crate) fn refusal<T>(result: Result<tonic::Response<T>, Status>) -> Status {
    result.err().expect("a refusal")
}

/// The reason of a refusal.
pub(crate) fn reason<T>(result: Result<tonic::Response<T>, Status>) -> String {
    let status = refusal(result);
    status::reason(&status).unwrap_or_else(|| format!("no reason: {status:?}"))
}

/// Fields and reasons of a refusal about fields.
pub(crate) fn violations<T>(result: Result<tonic::Response<T>, Status>) -> Vec<(String, String)> {
    let status = refusal(result);
    status::violations(&status)
        .into_iter()
        .map(|found| (found.field, found.reason))
        .collect()
}

pub(crate) fn with_token<T>(message: T, token: &str) -> Request<T> {
    testing::with_token(message, token)
}
