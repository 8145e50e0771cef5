//! A world for one test: its own database, clock, providers and server.

pub(crate) mod cmi;
mod database;
pub(crate) mod hash;
mod journey;
pub(crate) mod phone;
mod stack;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::{Ambient, Clock, GrpcServer, ManualClock, SystemRandom, TokenClaims};
use wathiq_payment::app::App;
use wathiq_payment::{Settings, grpc, service};
use wathiq_proto::wathiq::payment::v1::payable_service_client::PayableServiceClient;
use wathiq_proto::wathiq::payment::v1::payment_service_client::PaymentServiceClient;
use wathiq_proto::wathiq::payment::v1::provider_service_client::ProviderServiceClient;
use wathiq_proto::wathiq::payment::v1::reconciliation_service_client::ReconciliationServiceClient;

pub(crate) use cmi::FakeCmi;
pub(crate) use database::Database;
pub(crate) use journey::{Card, form_fields, new_payable};
pub(crate) use phone::FakePhone;
pub(crate) use stack::Stack;
pub(crate) use wathiq_chassis::testing::with_token;

/// The owner of the payables of most tests.
pub(crate) const OWNER: &str = "civil-registry-order";

/// Everything one test needs.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) cmi: FakeCmi,
    pub(crate) phone: FakePhone,
    pub(crate) pki: Pki,
    channels: Mutex<HashMap<String, Channel>>,
    address: SocketAddr,
    shutdown: CancellationToken,
    pub(crate) secrets: TempDir,
    // Last, so that nothing uses the database any more when it is dropped.
    pub(crate) database: Database,
}

impl World {
    /// A world on a Monday morning.
    pub(crate) async fn start() -> Self {
        Self::start_at("2026-11-23T09:00:00Z".parse().unwrap()).await
    }

    pub(crate) async fn start_at(now: DateTime<Utc>) -> Self {
        let pki = Pki::new();
        let database = Database::create().await;
        let clock = Arc::new(ManualClock::new(now));
        let (cmi, phone) = (FakeCmi::start().await, FakePhone::start().await);
        let secrets = tempfile::tempdir().unwrap();
        let mut settings: Settings =
            serde_json::from_value(settings(&pki, &secrets, &cmi, &phone, &database.config.url)).unwrap();
        settings.database = database.config.clone();
        let ambient = Ambient {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
        };
        let app = Arc::new(service::app(&settings, ambient).unwrap());
        let shutdown = CancellationToken::new();
        let address = serve(&pki, &app, &clock, &shutdown).await;
        Self {
            app,
            clock,
            cmi,
            phone,
            pki,
            channels: Mutex::default(),
            address,
            shutdown,
            secrets,
            database,
        }
    }

    /// The same service in a configuration that lacks a section.
    pub(crate) fn without(&self, section: &str) -> App {
        let url = &self.database.config.url;
        let mut sections = settings(&self.pki, &self.secrets, &self.cmi, &self.phone, url);
        sections.as_object_mut().unwrap().remove(section);
        let mut settings: Settings = serde_json::from_value(sections).unwrap();
        settings.database = self.database.config.clone();
        let ambient = Ambient {
            clock: Arc::clone(&self.clock) as _,
            random: Arc::new(SystemRandom),
        };
        service::app(&settings, ambient).unwrap()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// A channel as the process `own` has it.
    pub(crate) fn channel(&self, own: &str) -> Channel {
        let mut channels = self.channels.lock().unwrap();
        let channel = || self.pki.channel(own, "payment", self.address).unwrap();
        channels.entry(own.to_owned()).or_insert_with(channel).clone()
    }

    pub(crate) fn payables(&self) -> PayableServiceClient<Channel> {
        self.payables_of(OWNER)
    }

    pub(crate) fn payables_of(&self, owner: &str) -> PayableServiceClient<Channel> {
        PayableServiceClient::new(self.channel(owner))
    }

    pub(crate) fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn providers(&self) -> ProviderServiceClient<Channel> {
        ProviderServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn reconciliation(&self) -> ReconciliationServiceClient<Channel> {
        ReconciliationServiceClient::new(self.channel("gateway"))
    }

    /// The claims of a session of this person.
    pub(crate) fn claims(&self, person: Uuid) -> TokenClaims {
        testing::claims(person, self.now())
    }

    /// A request of this person as a citizen.
    pub(crate) fn by<T>(&self, person: Uuid, message: T) -> tonic::Request<T> {
        with_token(message, &testing::token(&self.claims(person)))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The configuration, as a file would have it.
pub(crate) fn settings(
    pki: &Pki,
    secrets: &TempDir,
    cmi: &FakeCmi,
    phone: &FakePhone,
    database_url: &str,
) -> Value {
    let secret = |name: &str, value: &str| {
        let path = secrets.path().join(name);
        std::fs::write(&path, value).unwrap();
        path
    };
    let tls = pki.issue("payment");
    let gateway = "https://wathiq.test/payments";
    json!({
        "process": {
            "name": "payment", "listen": "127.0.0.1:0", "operations_listen": "127.0.0.1:0", "trust_domain": testing::TRUST_DOMAIN,
            "tls": { "ca": tls.ca, "certificate": tls.certificate, "key": tls.key },
        },
        "database": { "url": database_url },
        "kafka": { "brokers": "127.0.0.1:1", "ca": tls.ca, "certificate": tls.certificate, "key": tls.key },
        "upstream": { "identity": { "addresses": ["127.0.0.1:1"], "server_name": "identity" } },
        "cmi": {
            "gate_url": format!("http://{}/fim/est3Dgate", cmi.address), "api_url": format!("http://{}/fim/api", cmi.address),
            "client_id": "600000001", "store_key_file": secret("store", hash::STORE_KEY),
            "api_user": "wathiq-api", "api_password_file": secret("password", "p&ss<word>\n"),
            "callback_url": format!("{gateway}/cmi"), "ok_url": format!("{gateway}/cmi/ok"),
            "fail_url": format!("{gateway}/cmi/fail"), "shop_url": "https://wathiq.test/",
        },
        "text_message": {
            "url": format!("http://{}", phone.address), "key_file": secret("key", phone::KEY),
            "secret_file": secret("secret", phone::SECRET), "callback_url": format!("{gateway}/text-message"),
        },
    })
}

async fn serve(
    pki: &Pki,
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    shutdown: &CancellationToken,
) -> SocketAddr {
    let verifier = testing::verifier(Arc::clone(clock) as _);
    let server = GrpcServer::new(&pki.process("payment"), grpc::rules::RULES, Some(verifier)).unwrap();
    let server = grpc::add_services(server.descriptor(wathiq_proto::FILE_DESCRIPTOR_SET), app);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    address
}

/// The reason of a refusal, and its code.
pub(crate) fn reason<T>(result: Result<T, Status>) -> (tonic::Code, String) {
    let status = result.err().expect("it is refused");
    (
        status.code(),
        wathiq_chassis::status::reason(&status).unwrap_or_default(),
    )
}

/// Field and reason of each violation of a refusal.
pub(crate) fn violations<T>(result: Result<T, Status>) -> Vec<(String, String)> {
    let status = result.err().expect("it is refused");
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
