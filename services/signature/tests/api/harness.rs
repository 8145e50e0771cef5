//! A world for one test: its own database, folder, clock, identity and server.

mod database;
mod identity;
mod journey;
mod payment;
mod stack;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::{Ambient, GrpcServer, ManualClock, Surface, SystemRandom, TokenClaims};
use wathiq_proto::wathiq::signature::v1::document_service_client::DocumentServiceClient;
use wathiq_proto::wathiq::signature::v1::legalisation_service_client::LegalisationServiceClient;
use wathiq_proto::wathiq::signature::v1::message_facts_service_client::MessageFactsServiceClient;
use wathiq_proto::wathiq::signature::v1::office_service_client::OfficeServiceClient;
use wathiq_signature::app::App;
use wathiq_signature::app::seal_settings::SealConfig;
use wathiq_signature::clients::payment::Payment;
use wathiq_signature::config::{CatalogueConfig, RequestSettings};
use wathiq_signature::electronic_seals::ElectronicSeals;
use wathiq_signature::storage::{Objects, StorageConfig};
use wathiq_signature::{grpc, keys, pdf as workers, timestamp, trust};

pub(crate) use database::Database;
pub(crate) use identity::FakeIdentity;
pub(crate) use journey::{drawn, id_of, matching, standing};
pub(crate) use payment::FakePayment;
pub(crate) use stack::Stack;
pub(crate) use wathiq_chassis::testing::with_token;

/// The office of every test, unless it makes another.
pub(crate) const OFFICE: Uuid = Uuid::from_u128(0x0ff1_ce00);

/// Everything one test needs.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Arc<FakeIdentity>,
    pub(crate) payment: Arc<FakePayment>,
    pub(crate) folder: TempDir,
    pki: Pki,
    channels: Mutex<HashMap<String, Channel>>,
    address: SocketAddr,
    shutdown: CancellationToken,
    // Last, so that nothing uses the database any more when it is dropped.
    pub(crate) database: Database,
}

/// Somebody with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person(pub(crate) Uuid);

impl World {
    /// A world on a Monday morning.
    pub(crate) async fn start() -> Self {
        Self::start_at("2026-11-23T09:00:00Z".parse().unwrap()).await
    }

    /// A world at this moment: where the certificates, revocation lists and time-stamps of the test stack are valid.
    pub(crate) async fn present() -> Self {
        Self::start_at(Ambient::system().now()).await
    }

    /// A world at a given instant.
    pub(crate) async fn start_at(now: DateTime<Utc>) -> Self {
        Self::start_with(now, |_| {}).await
    }

    /// A world at a given instant with something amiss in the service.
    pub(crate) async fn start_with(now: DateTime<Utc>, change: impl FnOnce(&mut App)) -> Self {
        let pki = Pki::new();
        let database = Database::create().await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let identity = Arc::new(FakeIdentity::new(Arc::clone(&clock)));
        identity.open_office(OFFICE, "ANF-CITE-AIR");
        let shutdown = CancellationToken::new();
        let payment = Arc::new(FakePayment::default());
        let payments = Arc::clone(&payment).serve(&pki, &shutdown).await;
        let mut app = app(&database, &folder, &clock, &identity);
        app.payment = Some(Payment::new(
            pki.channel("signature", "payment", payments).unwrap(),
        ));
        change(&mut app);
        let app = Arc::new(app);
        let address = serve(&pki, &app, &clock, &shutdown).await;
        let channels = Mutex::default();
        Self {
            app,
            clock,
            identity,
            payment,
            folder,
            pki,
            channels,
            address,
            shutdown,
            database,
        }
    }

    /// A channel as the process `own` has it.
    pub(crate) fn channel(&self, own: &str) -> Channel {
        let mut channels = self.channels.lock().unwrap();
        let channel = || self.pki.channel(own, "signature", self.address).unwrap();
        channels.entry(own.to_owned()).or_insert_with(channel).clone()
    }

    pub(crate) fn documents(&self) -> DocumentServiceClient<Channel> {
        DocumentServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn legalisation(&self) -> LegalisationServiceClient<Channel> {
        LegalisationServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn office(&self) -> OfficeServiceClient<Channel> {
        OfficeServiceClient::new(self.channel("gateway")).max_decoding_message_size(16 * 1024 * 1024)
    }

    pub(crate) fn message_facts(&self) -> MessageFactsServiceClient<Channel> {
        MessageFactsServiceClient::new(self.channel("notification"))
    }

    /// A proved citizen with a specimen that counts.
    pub(crate) fn citizen(&self) -> Person {
        let id = self.app.ambient.uuid_v7();
        self.identity.add_person(id);
        self.identity.add_specimen(id, 1);
        Person(id)
    }

    /// An official with these roles at the office of the test.
    pub(crate) fn official(&self, roles: &[&str]) -> Person {
        let person = self.citizen();
        for role in roles {
            self.identity.grant(person.0, OFFICE, role);
        }
        person
    }

    /// The claims of a session of this person on a surface, with the roles identity knows.
    pub(crate) fn claims(&self, person: Person, surface: Surface) -> TokenClaims {
        use wathiq_chassis::Clock;
        let grants = if surface == Surface::Staff {
            self.identity.grants(person.0)
        } else {
            Vec::new()
        };
        TokenClaims {
            surface,
            grants,
            ..testing::claims(person.0, self.clock.now())
        }
    }

    /// A request of this person as a citizen.
    pub(crate) fn as_citizen<T>(&self, person: Person, message: T) -> tonic::Request<T> {
        with_token(message, &testing::token(&self.claims(person, Surface::Citizen)))
    }

    /// A request of this person as an official.
    pub(crate) fn as_staff<T>(&self, person: Person, message: T) -> tonic::Request<T> {
        with_token(message, &testing::token(&self.claims(person, Surface::Staff)))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn app(database: &Database, folder: &TempDir, clock: &Arc<ManualClock>, identity: &Arc<FakeIdentity>) -> App {
    let stack = Stack::get();
    let ambient = Ambient {
        clock: Arc::clone(clock) as _,
        random: Arc::new(SystemRandom),
    };
    let url = format!("file://{}", folder.path().join("objects").display());
    let pdf = workers::PdfConfig {
        worker: Some(env!("CARGO_BIN_EXE_signature").into()),
        ..workers::PdfConfig::default()
    };
    App {
        pool: database.config.pool().unwrap(),
        objects: Objects::open(&StorageConfig {
            url,
            options: Default::default(),
        })
        .unwrap(),
        identity: Arc::clone(identity) as _,
        payment: None,
        catalogue: Arc::new(CatalogueConfig::default().read().unwrap()),
        requests: RequestSettings::default(),
        pdf: workers::Pool::new(pdf),
        keys: keys::Keys::new(&stack.section::<keys::KeysConfig>(stack.keys())),
        timestamp: timestamp::Client::new(&stack.section(stack.timestamp()), ambient.clone()).unwrap(),
        trust: trust::Trust::new(&stack.section(stack.trust()), ambient.clone()).unwrap(),
        seal: stack.section::<SealConfig>(serde_json::json!({ "public_url": "https://wathiq.test" })),
        electronic_seals: ElectronicSeals::default(),
        tasks: TaskTracker::new(),
        ambient,
    }
}

async fn serve(
    pki: &Pki,
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    shutdown: &CancellationToken,
) -> SocketAddr {
    let verifier = testing::verifier(Arc::clone(clock) as _);
    let server = GrpcServer::new(&pki.process("signature"), grpc::rules::RULES, Some(verifier)).unwrap();
    let server = grpc::add_services(server.descriptor(wathiq_proto::FILE_DESCRIPTOR_SET), app);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    address
}

/// The reason of a refusal, and its code.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> (tonic::Code, String) {
    let status = result.unwrap_err();
    (
        status.code(),
        wathiq_chassis::status::reason(&status).unwrap_or_default(),
    )
}

/// Field and reason of each violation of a refusal.
pub(crate) fn violations<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<(String, String)> {
    let status = result.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status:?}");
    wathiq_chassis::status::violations(&status)
        .into_iter()
        .map(|found| (found.field, found.reason))
        .collect()
}

/// A request id.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}
