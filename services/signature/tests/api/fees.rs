//! The fee of a request, paid at service payment: opened, paid, withdrawn, given back; payment down, events twice and late.

use chrono::TimeDelta;
use prost::{Message, Name};
use tonic::Code;
use uuid::Uuid;
use wathiq_outbox::Record;
use wathiq_outbox::testing::{Delivered, deliver};
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::expire_requests::expire_requests;
use wathiq_signature::app::fees;
use wathiq_signature::domain::role::{ADMINISTRATOR, AGENT};
use wathiq_signature::events::consume::payables::{CONSUMER, Payables, TOPIC};

use crate::harness::{Person, World, reason, request_id};

const FEE: i64 = 2_000;

/// A record of payment about a payable, as its relay sends it.
fn record<M: Message + Name>(payable_id: &str, sequence: i64, event: &M) -> Record {
    Record {
        event_id: Uuid::now_v7(),
        event_type: M::full_name(),
        aggregate_id: payable_id.parse().unwrap(),
        sequence,
        topic: TOPIC.to_owned(),
        payload: event.encode_to_vec(),
        traceparent: None,
        time: wathiq_chassis::Ambient::system().now(),
    }
}

impl World {
    /// AWAITING_PAYMENT, with its payable opened.
    async fn waiting_for_fee(&self, citizen: Person) -> pb::LegalisationRequest {
        let request = self.fee_due(citizen).await;
        self.ask_payment().await;
        self.own(citizen, &request.legalisation_request_id).await
    }

    /// AWAITING_PAYMENT
    async fn fee_due(&self, citizen: Person) -> pb::LegalisationRequest {
        let administrator = self.official(&[ADMINISTRATOR]);
        self.try_set_fee(administrator, FEE, None).await.unwrap();
        self.clock.advance(TimeDelta::seconds(1));
        let request = self.submitted(citizen).await;
        assert_eq!(request.state(), pb::LegalisationState::AwaitingPayment);
        request
    }

    async fn own(&self, citizen: Person, id: &str) -> pb::LegalisationRequest {
        self.try_get(citizen, id).await.unwrap()
    }

    /// The job's next look, after every pause.
    async fn ask_payment(&self) {
        self.app.tasks.close();
        self.app.tasks.wait().await;
        self.app.tasks.reopen();
        self.clock.advance(TimeDelta::minutes(2));
        fees::sweep(&self.app).await.unwrap();
    }

    async fn hear(&self, record: &Record) -> Delivered {
        let handler = Payables::new(self.app.ambient.clone(), self.app.requests.clone());
        deliver(&self.app.pool, CONSUMER, &handler, record).await.unwrap()
    }

    /// Payment takes the money and tells it.
    fn paid(&self, request_id: &str) -> Record {
        self.payment.pay(request_id);
        let payable = self.payment.payable(request_id).unwrap();
        let event = payment::PayablePaid {
            payable_id: payable.payable_id.clone(),
            owner: "signature".to_owned(),
            owner_reference: request_id.to_owned(),
            attempt_id: Uuid::now_v7().to_string(),
            amount_centimes: payable.amount_centimes,
        };
        record(&payable.payable_id, 3, &event)
    }

    async fn try_cancel(&self, citizen: Person, id: &str) -> Result<(), tonic::Status> {
        let message = pb::CancelLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
        };
        self.legalisation()
            .cancel_legalisation_request(self.as_citizen(citizen, message))
            .await
            .map(|_| ())
    }

    fn payable_state(&self, id: &str) -> payment::PayableState {
        self.payment.payable(id).unwrap().state()
    }
}

#[tokio::test]
async fn a_paid_fee_files_the_request_once() {
    let world = World::start().await;
    let citizen = world.citizen();
    let waiting = world.waiting_for_fee(citizen).await;
    let id = waiting.legalisation_request_id.clone();
    let payable = world.payment.payable(&id).unwrap();
    assert_eq!(
        (waiting.payable_id.as_str(), waiting.progress_code.as_str()),
        (payable.payable_id.as_str(), "WAITING_FOR_PAYMENT")
    );
    assert_eq!(payable.amount_centimes, FEE);
    assert_eq!(payable.display_reference, id);
    assert_eq!(payable.payer_person_id, citizen.0.to_string());
    assert_eq!(payable.expire_time, waiting.expire_time);

    let paid = world.paid(&id);
    assert_eq!(world.hear(&paid).await, Delivered::Effect);
    assert_eq!(world.hear(&paid).await, Delivered::Duplicate);
    let submitted = world.own(citizen, &id).await;
    assert_eq!(submitted.state(), pb::LegalisationState::Submitted);
    assert!(submitted.receipt.unwrap().number.starts_with("ANF-CITE-AIR"));
    // The same news under another event's id.
    let again = Record {
        event_id: Uuid::now_v7(),
        sequence: 4,
        ..paid
    };
    assert_eq!(world.hear(&again).await, Delivered::Effect);
    assert_eq!(
        world.own(citizen, &id).await.etag,
        submitted.etag,
        "nothing changed"
    );
    world.ask_payment().await;
    assert_eq!(world.payment.refunds(), []);
}

#[tokio::test]
async fn while_payment_is_down_the_request_waits_and_says_so() {
    let world = World::start().await;
    let citizen = world.citizen();
    world.payment.set_down(true);
    let waiting = world.fee_due(citizen).await;
    assert_eq!(waiting.progress_code, "WAITING_FOR_PAYMENT_SERVICE");
    let id = waiting.legalisation_request_id;
    world.ask_payment().await;
    assert_eq!(
        world.own(citizen, &id).await.progress_code,
        "WAITING_FOR_PAYMENT_SERVICE"
    );
    world.payment.set_down(false);
    world.ask_payment().await;
    world.ask_payment().await;
    assert_eq!(world.own(citizen, &id).await.progress_code, "WAITING_FOR_PAYMENT");
    assert_eq!(world.payment.opened(), 1);
}

#[tokio::test]
async fn a_request_that_ends_unpaid_takes_its_payable_back() {
    let world = World::start().await;
    let citizen = world.citizen();
    let cancelled = world.waiting_for_fee(citizen).await.legalisation_request_id;
    world.try_cancel(citizen, &cancelled).await.unwrap();
    world.ask_payment().await;
    assert_eq!(world.payable_state(&cancelled), payment::PayableState::Cancelled);

    let expired = world.waiting_for_fee(citizen).await.legalisation_request_id;
    world.clock.advance(TimeDelta::days(8));
    assert_eq!(expire_requests(&world.app).await.unwrap(), 1);
    world.ask_payment().await;
    assert_eq!(world.payable_state(&expired), payment::PayableState::Cancelled);
    assert_eq!(world.payment.refunds(), []);
}

/// Cancelled while payment is down: what is opened later, because an answer may have been lost, is withdrawn.
#[tokio::test]
async fn a_payable_that_is_opened_too_late_is_withdrawn() {
    let world = World::start().await;
    let citizen = world.citizen();
    world.payment.set_down(true);
    let id = world.fee_due(citizen).await.legalisation_request_id;
    world.try_cancel(citizen, &id).await.unwrap();
    world.ask_payment().await;
    world.payment.set_down(false);
    world.ask_payment().await;
    world.ask_payment().await;
    assert_eq!(world.payable_state(&id), payment::PayableState::Cancelled);
}

#[tokio::test]
async fn what_was_paid_is_given_back_once_where_nobody_has_worked_for_it() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&[AGENT]));
    // Paid, filed, and withdrawn before an agent took it.
    let unworked = world.waiting_for_fee(citizen).await.legalisation_request_id;
    world.hear(&world.paid(&unworked)).await;
    world.try_cancel(citizen, &unworked).await.unwrap();
    world.ask_payment().await;
    world.ask_payment().await;
    let refunds = world.payment.refunds();
    assert_eq!(refunds.len(), 1);
    assert_eq!(
        (refunds[0].owner_reference.as_str(), refunds[0].amount_centimes),
        (unworked.as_str(), FEE)
    );
    // Paid when it was cancelled already.
    let late = world.waiting_for_fee(citizen).await.legalisation_request_id;
    world.payment.pay(&late);
    world.try_cancel(citizen, &late).await.unwrap();
    world.ask_payment().await;
    world.hear(&world.paid(&late)).await;
    world.ask_payment().await;
    assert_eq!(world.payment.refunds().len(), 2);
    // An agent has taken it.
    let worked = world.waiting_for_fee(citizen).await.legalisation_request_id;
    world.hear(&world.paid(&worked)).await;
    world.try_claim(agent, &worked).await.unwrap();
    world.try_cancel(citizen, &worked).await.unwrap();
    // The office has refused it: submitting it again is free.
    let refused = world.waiting_for_fee(citizen).await.legalisation_request_id;
    world.hear(&world.paid(&refused)).await;
    world.try_claim(agent, &refused).await.unwrap();
    world.try_refuse(agent, &refused, None).await.unwrap();
    world.ask_payment().await;
    assert_eq!(world.payment.refunds().len(), 2);
}

#[tokio::test]
async fn others_payables_are_none_of_ours_and_unknown_ones_are_put_aside() {
    let world = World::start().await;
    let payable_id = Uuid::now_v7().to_string();
    let event = |owner: &str| payment::PayablePaid {
        payable_id: payable_id.clone(),
        owner: owner.to_owned(),
        owner_reference: Uuid::now_v7().to_string(),
        attempt_id: Uuid::now_v7().to_string(),
        amount_centimes: 1,
    };
    let others = record(&payable_id, 1, &event("civil-registry-order"));
    assert_eq!(world.hear(&others).await, Delivered::Effect);
    let unknown = record(&payable_id, 2, &event("signature"));
    assert_eq!(world.hear(&unknown).await, Delivered::Parked);
}

#[tokio::test]
async fn without_a_payment_service_no_fee_can_be_set() {
    let now = "2026-11-23T09:00:00Z".parse().unwrap();
    let world = World::start_with(now, |app| app.payment = None).await;
    let administrator = world.official(&[ADMINISTRATOR]);
    let refused = reason(world.try_set_fee(administrator, FEE, None).await);
    assert_eq!(
        refused,
        (Code::FailedPrecondition, "PAYMENT_NOT_CONFIGURED".to_owned())
    );
    world.try_set_fee(administrator, 0, None).await.unwrap();
}
