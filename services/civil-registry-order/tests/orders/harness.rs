//! A world for one test: its own database, folder, clock, doubles and server.

mod database;
mod identity;
pub(crate) mod peers;
mod sample;
mod servers;

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use prost::Name;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki, with_token};
use wathiq_chassis::{Ambient, Clock, ManualClock, Surface, SystemRandom, TokenClaims};
use wathiq_civil_registry_order::app::App;
use wathiq_civil_registry_order::app::drive::{self, Lane};
use wathiq_civil_registry_order::events::consume::{self, Consume};
use wathiq_outbox::Record;
use wathiq_outbox::testing::Delivered;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::administration_service_client::AdministrationServiceClient;
use wathiq_proto::wathiq::civil_registry_order::v1::office_service_client::OfficeServiceClient;
use wathiq_proto::wathiq::civil_registry_order::v1::order_service_client::OrderServiceClient;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;
use wathiq_proto::wathiq::signature::v1 as signature;

pub(crate) use database::Database;
pub(crate) use sample::{date, line, name, order_request, pdf, profile, reason, request_id, violations};

/// The office of every test, open for orders.
pub(crate) const OFFICE: Uuid = Uuid::from_u128(0x0ff1_ce00);
/// Another one that is open.
pub(crate) const OTHER: Uuid = Uuid::from_u128(0x0ff1_ce01);
/// One that is not.
pub(crate) const CLOSED: Uuid = Uuid::from_u128(0x0ff1_ce02);

/// Everything one test needs.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Arc<identity::State>,
    pub(crate) peers: Arc<peers::State>,
    consume: Consume,
    pki: Pki,
    address: SocketAddr,
    shutdown: CancellationToken,
    _folder: TempDir,
    // Last, so that nothing uses the database any more when it is dropped.
    pub(crate) database: Database,
}

/// Somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person(pub(crate) Uuid);

impl World {
    /// A world on a Monday morning; the offices that are open have profiles.
    pub(crate) async fn start() -> Self {
        let world = Self::without_profile().await;
        for office in [OFFICE, OTHER] {
            world.give_profile(office).await;
        }
        world
    }

    /// Its administrator fills in the profile of an office.
    pub(crate) async fn give_profile(&self, office: Uuid) {
        let administrator = self.official_at(office, "administrator");
        let profile = pb::SetOfficeProfileRequest {
            request_id: request_id(),
            profile: Some(profile(office)),
        };
        let mut administration = self.administration();
        administration
            .set_office_profile(self.staff(administrator, profile))
            .await
            .unwrap();
    }

    pub(crate) async fn without_profile() -> Self {
        let pki = Pki::new();
        let database = Database::create().await;
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2026-11-23T09:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let shutdown = CancellationToken::new();
        let identity = Arc::new(identity::State::default());
        identity.add_office(OFFICE, "C-1", true);
        identity.add_office(OTHER, "C-2", true);
        identity.add_office(CLOSED, "C-3", false);
        let peers = Arc::new(peers::State::default());
        let ambient = Ambient {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
        };
        let app = servers::app(&pki, &database, &folder, &identity, &peers, ambient, &shutdown).await;
        let address = servers::serve(&pki, &app, &clock, &shutdown).await;
        Self {
            consume: Consume::new(Arc::clone(&app)),
            app,
            clock,
            identity,
            peers,
            pki,
            address,
            shutdown,
            _folder: folder,
            database,
        }
    }

    /// The service as the process `own` reaches it.
    pub(crate) fn channel(&self, own: &str) -> Channel {
        self.pki
            .channel(own, "civil-registry-order", self.address)
            .unwrap()
    }

    pub(crate) fn orders(&self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn office(&self) -> OfficeServiceClient<Channel> {
        OfficeServiceClient::new(self.channel("gateway"))
    }

    pub(crate) fn administration(&self) -> AdministrationServiceClient<Channel> {
        AdministrationServiceClient::new(self.channel("gateway"))
    }

    /// A citizen with an account: Amina El Idrissi, born on 15 March 1990.
    pub(crate) fn citizen(&self) -> Person {
        let id = self.app.ambient.uuid_v7();
        self.identity.add_person(id, "Amina", "El Idrissi");
        Person(id)
    }

    pub(crate) fn official_at(&self, office: Uuid, role: &str) -> Person {
        let person = self.citizen();
        self.identity.grant(person.0, office, role);
        person
    }

    pub(crate) fn agent(&self) -> Person {
        self.official_at(OFFICE, "agent")
    }

    pub(crate) fn officer(&self) -> Person {
        self.official_at(OFFICE, "officer")
    }

    fn of<T>(&self, person: Person, surface: Surface, message: T) -> Request<T> {
        let grants = if surface == Surface::Staff {
            self.identity.grants(person.0)
        } else {
            Vec::new()
        };
        let claims = TokenClaims {
            surface,
            grants,
            ..testing::claims(person.0, self.clock.now())
        };
        with_token(message, &testing::token(&claims))
    }

    pub(crate) fn as_citizen<T>(&self, person: Person, message: T) -> Request<T> {
        self.of(person, Surface::Citizen, message)
    }

    /// A session of somebody without an account.
    pub(crate) fn as_guest<T>(&self, person: Person, message: T) -> Request<T> {
        self.of(person, Surface::Contact, message)
    }

    pub(crate) fn staff<T>(&self, person: Person, message: T) -> Request<T> {
        self.of(person, Surface::Staff, message)
    }

    /// Of some administrator of the platform.
    pub(crate) fn platform<T>(&self, message: T) -> Request<T> {
        self.platform_as(Person(self.app.ambient.uuid_v7()), message)
    }

    pub(crate) fn platform_as<T>(&self, administrator: Person, message: T) -> Request<T> {
        let claims = TokenClaims {
            surface: Surface::Staff,
            padm: true,
            ..testing::claims(administrator.0, self.clock.now())
        };
        with_token(message, &testing::token(&claims))
    }

    pub(crate) async fn place(&self, citizen: Person, lines: Vec<pb::LineRequest>) -> pb::Order {
        let request = order_request(lines);
        let answer = self.orders().place_order(self.as_citizen(citizen, request)).await;
        answer.unwrap().into_inner().order.unwrap()
    }

    pub(crate) async fn get(&self, citizen: Person, order: &pb::Order) -> pb::Order {
        let request = pb::GetOrderRequest {
            key: Some(pb::get_order_request::Key::OrderId(order.order_id.clone())),
        };
        let answer = self.orders().get_order(self.as_citizen(citizen, request)).await;
        answer.unwrap().into_inner().order.unwrap()
    }

    /// Asks other services what is due, until nothing is.
    pub(crate) async fn drive(&self) {
        for _ in 0..20 {
            let mut asked = 0;
            for lane in Lane::ALL {
                asked += drive::drive(&self.app, lane).await.unwrap();
            }
            if asked == 0 {
                return;
            }
        }
        panic!("there is always something due");
    }

    /// Time passes, and what waited for it happens.
    pub(crate) async fn after(&self, time: TimeDelta) {
        self.clock.advance(time);
        wathiq_civil_registry_order::app::let_time_pass::let_time_pass(&self.app)
            .await
            .unwrap();
        self.drive().await;
    }

    /// Applies an event as the consumer does.
    pub(crate) async fn hear<M: prost::Message + Name>(
        &self,
        topic: &str,
        sequence: i64,
        message: &M,
    ) -> Record {
        let record = Record {
            event_id: Uuid::new_v4(),
            event_type: M::full_name(),
            aggregate_id: Uuid::new_v4(),
            sequence,
            topic: topic.to_owned(),
            payload: message.encode_to_vec(),
            traceparent: None,
            time: self.clock.now(),
        };
        assert_eq!(self.deliver(&record).await, Delivered::Effect);
        record
    }

    pub(crate) async fn deliver(&self, record: &Record) -> Delivered {
        let delivered =
            wathiq_outbox::testing::deliver(&self.app.pool, consume::CONSUMER, &self.consume, record);
        delivered.await.unwrap()
    }

    /// Payment takes the money and tells.
    pub(crate) async fn pay(&self, order: &pb::Order) -> Record {
        let event = {
            let mut payables = self.peers.payables.lock().unwrap();
            let payable = payables.get_mut(&order.order_id).unwrap();
            payable.set_state(payment::PayableState::Paid);
            let attempt_id = peers::id();
            payable.attempts.push(payment::Attempt {
                attempt_id: attempt_id.clone(),
                ..Default::default()
            });
            self.peers
                .statement
                .lock()
                .unwrap()
                .push(payment::StatementEntry {
                    attempt_id: attempt_id.clone(),
                    payable_id: payable.payable_id.clone(),
                    owner_reference: order.order_id.clone(),
                    status: "CAPTURED".to_owned(),
                    authorised_centimes: payable.amount_centimes,
                    captured_centimes: payable.amount_centimes,
                    ..Default::default()
                });
            payment::PayablePaid {
                payable_id: payable.payable_id.clone(),
                owner: "civil-registry-order".to_owned(),
                owner_reference: order.order_id.clone(),
                attempt_id,
                amount_centimes: payable.amount_centimes,
            }
        };
        let record = self.hear(consume::TOPICS[0], 2, &event).await;
        self.drive().await;
        record
    }

    /// Payment gives the money of a line back and tells.
    pub(crate) async fn give_back(&self, order: &pb::Order, line: &pb::OrderLine) -> Record {
        let event = {
            let mut payables = self.peers.payables.lock().unwrap();
            let payable = payables.get_mut(&order.order_id).unwrap();
            let refund = payable
                .refunds
                .iter_mut()
                .find(|refund| refund.owner_reference == line.line_id);
            let refund = refund.unwrap();
            refund.set_state(payment::RefundState::Completed);
            let amount = refund.amount_centimes;
            let refund_id = refund.refund_id.clone();
            payable.refunded_centimes += amount;
            let mut statement = self.peers.statement.lock().unwrap();
            let entry = statement
                .iter_mut()
                .find(|entry| entry.payable_id == payable.payable_id);
            entry.unwrap().credited_centimes += amount;
            payment::RefundCompleted {
                payable_id: payable.payable_id.clone(),
                refund_id,
                owner: "civil-registry-order".to_owned(),
                owner_reference: order.order_id.clone(),
                refund_reference: line.line_id.clone(),
                amount_centimes: amount,
                ..Default::default()
            }
        };
        self.hear(consume::TOPICS[0], 9, &event).await
    }

    /// The post tells something of a parcel.
    pub(crate) async fn track(
        &self,
        parcel: &pb::Parcel,
        sequence: i64,
        state: postal::ShipmentState,
    ) -> Record {
        if let Some(shipment) = self.peers.shipments.lock().unwrap().get_mut(&parcel.parcel_id) {
            shipment.set_state(state);
            shipment.proof = Some(postal::ProofOfDelivery {
                recipient_name: "AMINA EL IDRISSI".to_owned(),
                document_kind: postal::RecipientDocumentKind::Cin.into(),
                document_last_four: "3456".to_owned(),
                ..Default::default()
            });
        }
        let event = postal::ShipmentTracked {
            shipment_id: parcel.shipment_id.clone(),
            owner: "civil-registry-order".to_owned(),
            owner_reference: parcel.parcel_id.clone(),
            state: state.into(),
            ..Default::default()
        };
        self.hear(consume::TOPICS[1], sequence, &event).await
    }

    /// Signature seals the document of a line and tells, and what follows is asked.
    pub(crate) async fn seal(&self, line_id: &str) -> Record {
        let record = self.hear_seal(line_id).await;
        self.drive().await;
        record
    }

    /// Signature seals the document of a line and tells.
    pub(crate) async fn hear_seal(&self, line_id: &str) -> Record {
        let event = {
            let mut documents = self.peers.documents.lock().unwrap();
            let document = documents.get_mut(line_id).unwrap();
            document.set_state(signature::IssuedDocumentState::Sealed);
            signature::IssuedDocumentSealed {
                issued_document_id: document.issued_document_id.clone(),
                owner: "civil-registry-order".to_owned(),
                owner_reference: line_id.to_owned(),
                office_id: document.office_id.clone(),
                level: "B-T".to_owned(),
                commitments: Vec::new(),
            }
        };
        self.hear(consume::TOPICS[2], 2, &event).await
    }

    /// Takes lines onto a batch sheet.
    pub(crate) async fn batch_sheet(&self, agent: Person, lines: &[&pb::OrderLine]) -> pb::BatchSheet {
        let request = pb::CreateBatchSheetRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            line_ids: lines.iter().map(|line| line.line_id.clone()).collect(),
        };
        let answer = self.office().create_batch_sheet(self.staff(agent, request)).await;
        answer.unwrap().into_inner().batch_sheet.unwrap()
    }

    /// Records the production of a line by scanning it.
    pub(crate) async fn produce(
        &self,
        agent: Person,
        officer: Person,
        line: &pb::OrderLine,
    ) -> Result<pb::RecordProductionResponse, Status> {
        let request = pb::RecordProductionRequest {
            request_id: request_id(),
            line_reference: line.line_reference.clone(),
            officer_person_id: officer.0.to_string(),
            looked_by_person_id: String::new(),
        };
        let answer = self
            .office()
            .record_production(self.staff(agent, request))
            .await?;
        self.drive().await;
        Ok(answer.into_inner())
    }

    /// Names of the events of an order so far, in their order.
    pub(crate) async fn events(&self, order: &pb::Order) -> Vec<String> {
        let mut conn = self.database.connect().await;
        let id = Uuid::try_parse(&order.order_id).unwrap();
        let mut events = wathiq_outbox::testing::events(&mut conn).await;
        events.retain(|event| event.aggregate_id == id);
        events.sort_by_key(|event| event.sequence);
        let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        let dense: Vec<i64> = (1..=i64::try_from(events.len()).unwrap()).collect();
        assert_eq!(sequences, dense, "no event is left out");
        events
            .into_iter()
            .map(|event| event.event_type.rsplit('.').next().unwrap().to_owned())
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
