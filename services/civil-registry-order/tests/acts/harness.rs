//! A world for one test: its own database, folder, clock, identity and server.

mod database;
mod identity;
mod stack;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki, with_token};
use wathiq_chassis::{Ambient, Clock, GrpcServer, ManualClock, Surface, SystemRandom, TokenClaims};
use wathiq_civil_registry_order::app::App;
use wathiq_civil_registry_order::clients::identity::Identity;
use wathiq_civil_registry_order::clients::payment::Payment;
use wathiq_civil_registry_order::clients::postal_shipping::PostalShipping;
use wathiq_civil_registry_order::clients::signature::Signature;
use wathiq_civil_registry_order::documents::aside::Aside;
use wathiq_civil_registry_order::grpc;
use wathiq_civil_registry_order::storage::{Objects, StorageConfig};
use wathiq_documents::Engine;
use wathiq_proto::wathiq::civil_registry_order::v1::act_service_client::ActServiceClient;
use wathiq_proto::wathiq::civil_registry_order::v1::administration_service_client::AdministrationServiceClient;
use wathiq_proto::wathiq::identity::v1::OfficeKind;

pub(crate) use database::Database;

/// The office of every test.
pub(crate) const OFFICE: Uuid = Uuid::from_u128(0x0ff1_ce00);
/// Another one.
pub(crate) const OTHER: Uuid = Uuid::from_u128(0x0ff1_ce01);

/// One of a kind that keeps no civil status.
pub(crate) const REGION: Uuid = Uuid::from_u128(0x0ff1_ce0f);

/// Everything one test needs.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Arc<identity::State>,
    pub(crate) folder: TempDir,
    pki: Pki,
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
        let pki = Pki::new();
        let database = Database::create().await;
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2026-11-23T09:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let shutdown = CancellationToken::new();
        let identity = Arc::new(identity::State::default());
        identity.open_office(OFFICE, "C-1", OfficeKind::Commune);
        identity.open_office(OTHER, "C-2", OfficeKind::Annexe);
        identity.open_office(REGION, "R-1", OfficeKind::Region);
        let offices = serve_identity(&pki, &identity, &shutdown).await;
        let ambient = Ambient {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
        };
        let channel = pki.channel("civil-registry-order", "identity", offices).unwrap();
        // Acts ask neither payment nor the post nor signature: nothing answers there.
        let nobody = |upstream| {
            let address = SocketAddr::from(([127, 0, 0, 1], 1));
            pki.channel("civil-registry-order", upstream, address).unwrap()
        };
        let app = App {
            pool: database.config.pool().unwrap(),
            objects: objects(&folder),
            identity: Identity::new(channel, ambient.clone(), Duration::ZERO),
            payment: Payment::new(nobody("payment")),
            postal: PostalShipping::new(nobody("postal-shipping")),
            signature: Signature::new(nobody("signature")),
            engine: Arc::new(Engine::new()),
            aside: Aside::new(Some(env!("CARGO_BIN_EXE_civil-registry-order").into())),
            orders: Default::default(),
            ambient,
        };
        let app = Arc::new(app);
        let address = serve(&pki, &app, &clock, &shutdown).await;
        Self {
            app,
            clock,
            identity,
            folder,
            pki,
            address,
            shutdown,
            database,
        }
    }

    /// The service as the process `own` reaches it.
    pub(crate) fn acts_as(&self, own: &str) -> ActServiceClient<Channel> {
        ActServiceClient::new(
            self.pki
                .channel(own, "civil-registry-order", self.address)
                .unwrap(),
        )
    }

    pub(crate) fn acts(&self) -> ActServiceClient<Channel> {
        self.acts_as("gateway")
    }

    /// The service of reference data, as the gateway reaches it.
    pub(crate) fn administration(&self) -> AdministrationServiceClient<Channel> {
        let channel = self.pki.channel("gateway", "civil-registry-order", self.address);
        AdministrationServiceClient::new(channel.unwrap())
    }

    /// A request of some administrator of the platform.
    pub(crate) fn platform<T>(&self, message: T) -> Request<T> {
        let claims = TokenClaims {
            surface: Surface::Staff,
            padm: true,
            ..testing::claims(self.app.ambient.uuid_v7(), self.clock.now())
        };
        with_token(message, &testing::token(&claims))
    }

    /// An official with a role at an office.
    pub(crate) fn official_at(&self, office: Uuid, role: &str) -> Person {
        let person = Person(self.app.ambient.uuid_v7());
        self.identity.grant(person.0, office, role);
        person
    }

    pub(crate) fn agent(&self) -> Person {
        self.official_at(OFFICE, "agent")
    }

    pub(crate) fn officer(&self) -> Person {
        self.official_at(OFFICE, "officer")
    }

    /// The claims of a session on the staff surface, with the roles identity knows now.
    pub(crate) fn claims(&self, person: Person) -> TokenClaims {
        TokenClaims {
            surface: Surface::Staff,
            grants: self.identity.grants(person.0),
            ..testing::claims(person.0, self.clock.now())
        }
    }

    /// A request of this person as an official.
    pub(crate) fn of<T>(&self, person: Person, message: T) -> Request<T> {
        with_token(message, &testing::token(&self.claims(person)))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn objects(folder: &TempDir) -> Objects {
    let url = format!("file://{}", folder.path().join("objects").display());
    Objects::open(&StorageConfig {
        url,
        options: Default::default(),
    })
    .unwrap()
}

async fn serve_identity(pki: &Pki, state: &Arc<identity::State>, shutdown: &CancellationToken) -> SocketAddr {
    let server = GrpcServer::new(&pki.process("identity"), identity::RULES, None)
        .unwrap()
        .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
        .add_service(identity::Directory(Arc::clone(state)))
        .add_service(identity::Offices(Arc::clone(state)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    address
}

async fn serve(
    pki: &Pki,
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    shutdown: &CancellationToken,
) -> SocketAddr {
    let verifier = testing::verifier(Arc::clone(clock) as _);
    let server = GrpcServer::new(
        &pki.process("civil-registry-order"),
        grpc::rules::RULES,
        Some(verifier),
    )
    .unwrap();
    let server = grpc::add_services(server.descriptor(wathiq_proto::FILE_DESCRIPTOR_SET), app);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    address
}

/// The code and the reason of a refusal.
pub(crate) fn reason<T>(result: Result<T, Status>) -> (Code, String) {
    let status = result.err().unwrap();
    (
        status.code(),
        wathiq_chassis::status::reason(&status).unwrap_or_default(),
    )
}

/// Field and reason of each violation of a refusal.
pub(crate) fn violations<T>(result: Result<T, Status>) -> Vec<(String, String)> {
    let status = result.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    wathiq_chassis::status::violations(&status)
        .into_iter()
        .map(|found| (found.field, found.reason))
        .collect()
}

/// A request id.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}
