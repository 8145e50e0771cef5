//! A world for one test: its own database, clock, carrier and server.

mod carrier;
mod database;
mod messages;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::{
    Ambient, Clock, Grant, GrpcServer, ManualClock, SecretFile, Surface, SystemRandom, TokenClaims, status,
};
use wathiq_postal_shipping::app::{App, Printer};
use wathiq_postal_shipping::carrier::Carrier;
use wathiq_postal_shipping::config::{CarrierConfig, NumberConfig, RetentionConfig, SilenceConfig};
use wathiq_postal_shipping::domain::code_table::CodeTable;
use wathiq_postal_shipping::domain::webhook::Secret;
use wathiq_postal_shipping::grpc;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::carrier_service_client::CarrierServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::office_service_client::OfficeServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::range_service_client::RangeServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_client::ShipmentServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::tracking_service_client::TrackingServiceClient;

pub(crate) use carrier::FakeCarrier;
pub(crate) use database::Database;
pub(crate) use messages::{create, delivered, event};

/// The office of every test, unless it names another.
pub(crate) const OFFICE: Uuid = Uuid::from_u128(0x0ff1_ce00);
/// What the carrier signs with.
pub(crate) const INBOUND: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What we sign with.
pub(crate) const OUTBOUND: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Everything one test needs.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) carrier: FakeCarrier,
    pki: Pki,
    channels: Mutex<HashMap<String, Channel>>,
    address: SocketAddr,
    shutdown: CancellationToken,
    folder: TempDir,
    // Last, so that nothing uses the database any more when it is dropped.
    pub(crate) database: Database,
}

impl World {
    /// A world on a Sunday morning, without numbers.
    pub(crate) async fn empty() -> Self {
        testing::telemetry();
        let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
        let database = Database::create().await;
        let clock = Arc::new(ManualClock::new("2026-11-22T09:00:00Z".parse().unwrap()));
        let carrier = FakeCarrier::start().await;
        let ambient = Ambient {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
        };
        let app = Arc::new(app(&database, ambient, &folder, &carrier));
        let shutdown = CancellationToken::new();
        let address = serve(&pki, &app, &clock, &shutdown).await;
        Self {
            app,
            clock,
            carrier,
            pki,
            channels: Mutex::default(),
            address,
            shutdown,
            folder,
            database,
        }
    }

    /// A world with plenty of numbers of both products.
    pub(crate) async fn start() -> Self {
        let world = Self::empty().await;
        world
            .allocate("RR", 10_000, 19_999, pb::ShippingProduct::RegisteredDomestic)
            .await
            .unwrap();
        world
            .allocate("RS", 10_000, 19_999, pb::ShippingProduct::RegisteredInternational)
            .await
            .unwrap();
        world
    }

    /// Another process on the same database; a channel to it.
    pub(crate) async fn replica(&self) -> Channel {
        let app = app(
            &self.database,
            self.app.ambient.clone(),
            &self.folder,
            &self.carrier,
        );
        let address = serve(&self.pki, &Arc::new(app), &self.clock, &self.shutdown).await;
        self.pki
            .channel("civil-registry-order", "postal-shipping", address)
            .unwrap()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    /// A channel as the process `own` has it.
    pub(crate) fn channel(&self, own: &str) -> Channel {
        let mut channels = self.channels.lock().unwrap();
        let channel = || self.pki.channel(own, "postal-shipping", self.address).unwrap();
        channels.entry(own.to_owned()).or_insert_with(channel).clone()
    }

    pub(crate) fn shipments(&self) -> ShipmentServiceClient<Channel> {
        ShipmentServiceClient::new(self.channel("civil-registry-order"))
    }

    pub(crate) fn office(&self) -> OfficeServiceClient<Channel> {
        OfficeServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn carriers(&self) -> CarrierServiceClient<Channel> {
        CarrierServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn tracking(&self) -> TrackingServiceClient<Channel> {
        TrackingServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn ranges(&self) -> RangeServiceClient<Channel> {
        RangeServiceClient::new(self.channel("gateway"))
    }

    /// The claims of a staff session with this role at this office.
    pub(crate) fn staff(&self, office_id: Uuid, role: &str) -> TokenClaims {
        let grant = Grant {
            office_id,
            role: role.to_owned(),
        };
        TokenClaims {
            surface: Surface::Staff,
            grants: vec![grant],
            ..testing::claims(Uuid::from_u128(7), self.now())
        }
    }

    /// A request of an agent of the office.
    pub(crate) fn by_agent<T>(&self, message: T) -> Request<T> {
        testing::with_token(message, &testing::token(&self.staff(OFFICE, "agent")))
    }

    /// A request of an administrator of the platform.
    pub(crate) fn by_administrator<T>(&self, message: T) -> Request<T> {
        let claims = TokenClaims {
            padm: true,
            grants: Vec::new(),
            ..self.staff(OFFICE, "agent")
        };
        testing::with_token(message, &testing::token(&claims))
    }

    pub(crate) async fn allocate(
        &self,
        service: &str,
        first: u32,
        last: u32,
        product: pb::ShippingProduct,
    ) -> Result<pb::NumberRange, Status> {
        let request = pb::AllocateRangeRequest {
            request_id: request_id(),
            service_indicator: service.to_owned(),
            country_code: "MA".to_owned(),
            first,
            last,
            product: product.into(),
        };
        let answer = self
            .ranges()
            .allocate_range(self.by_administrator(request))
            .await?;
        Ok(answer.into_inner().range.unwrap())
    }

    pub(crate) async fn try_create(
        &self,
        request: pb::CreateShipmentRequest,
    ) -> Result<pb::Shipment, Status> {
        let answer = self.shipments().create_shipment(request).await?;
        Ok(answer.into_inner().shipment.unwrap())
    }

    pub(crate) async fn created(&self, reference: &str) -> pb::Shipment {
        self.try_create(create(reference)).await.unwrap()
    }

    pub(crate) async fn try_hand_over(&self, ids: &[&str]) -> Result<pb::DepositList, Status> {
        let request = pb::HandOverRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            shipment_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            person_id: Uuid::from_u128(7).to_string(),
        };
        let answer = self.shipments().hand_over(request).await?;
        Ok(answer.into_inner().deposit_list.unwrap())
    }

    /// A shipment at the post.
    pub(crate) async fn handed_over(&self, reference: &str) -> pb::Shipment {
        let created = self.created(reference).await;
        self.try_hand_over(&[&created.shipment_id]).await.unwrap();
        self.get(&created.shipment_id).await
    }

    pub(crate) async fn get(&self, id: &str) -> pb::Shipment {
        let key = pb::get_shipment_request::Key::ShipmentId(id.to_owned());
        let request = pb::GetShipmentRequest { key: Some(key) };
        let answer = self.shipments().get_shipment(request).await.unwrap();
        answer.into_inner().shipment.unwrap()
    }

    /// A message of the carrier with these events.
    pub(crate) fn message(&self, id: &str, events: &[serde_json::Value]) -> pb::ReceiveWebhookRequest {
        let body = serde_json::to_vec(events).unwrap();
        pb::ReceiveWebhookRequest {
            webhook_id: id.to_owned(),
            webhook_timestamp: self.now().timestamp().to_string(),
            webhook_signature: self.signature(id, &body),
            body,
        }
    }

    pub(crate) fn signature(&self, id: &str, body: &[u8]) -> String {
        let secret = Secret::parse(&SecretString::from(INBOUND)).unwrap();
        secret.sign(id, self.now(), body)
    }

    pub(crate) async fn try_tell(
        &self,
        events: &[serde_json::Value],
    ) -> Result<pb::ReceiveWebhookResponse, Status> {
        let message = self.message(&request_id(), events);
        Ok(self.carriers().receive_webhook(message).await?.into_inner())
    }

    /// The carrier says this.
    pub(crate) async fn tell(&self, events: &[serde_json::Value]) -> pb::ReceiveWebhookResponse {
        self.try_tell(events).await.unwrap()
    }

    /// A file of the carrier.
    pub(crate) fn file(&self, id: &str, csv: &str) -> pb::ImportBatchRequest {
        pb::ImportBatchRequest {
            webhook_id: id.to_owned(),
            webhook_timestamp: self.now().timestamp().to_string(),
            webhook_signature: self.signature(id, csv.as_bytes()),
            csv: csv.as_bytes().to_vec(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The configuration of a carrier, with its secrets in a folder.
pub(crate) fn carrier_config(folder: &TempDir, url: &str) -> CarrierConfig {
    let file = |name: &str, secret: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{secret}\n")).unwrap();
        SecretFile::new(path)
    };
    CarrierConfig {
        url: url.to_owned(),
        inbound_secret_files: vec![file("inbound", INBOUND)],
        outbound_secret_file: file("outbound", OUTBOUND),
        ca: None,
        seconds: 5,
        announce_milliseconds: 50,
    }
}

/// What a process works with.
fn app(database: &Database, ambient: Ambient, folder: &TempDir, carrier: &FakeCarrier) -> App {
    App {
        pool: database.config.pool().unwrap(),
        ambient,
        codes: Arc::new(CodeTable::standard()),
        low_water: NumberConfig::default().low_water(),
        silence: SilenceConfig::default().limits(),
        retention: RetentionConfig::default().times().unwrap(),
        inbound_secrets: vec![Secret::parse(&SecretString::from(INBOUND)).unwrap()],
        carrier: Carrier::new(&carrier_config(folder, carrier.url())).unwrap(),
        printer: Printer::default(),
    }
}

async fn serve(
    pki: &Pki,
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    shutdown: &CancellationToken,
) -> SocketAddr {
    let verifier = testing::verifier(Arc::clone(clock) as _);
    let server = GrpcServer::new(
        &pki.process("postal-shipping"),
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

/// The reason of a refusal, and its code.
pub(crate) fn reason<T>(result: Result<T, Status>) -> (tonic::Code, String) {
    let status = result.err().expect("a refusal");
    (status.code(), status::reason(&status).unwrap_or_default())
}

/// Field and reason of each violation of a refusal.
pub(crate) fn violations<T>(result: Result<T, Status>) -> Vec<(String, String)> {
    let status = result.err().expect("a refusal");
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status:?}");
    status::violations(&status)
        .into_iter()
        .map(|found| (found.field, found.reason))
        .collect()
}

/// A request id.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// The number of a shipment.
pub(crate) fn number(shipment: &pb::Shipment) -> String {
    shipment.tracking_id.clone().unwrap().value
}
