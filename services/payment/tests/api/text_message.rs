//! Payment by text message.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::{World, phone, reason, request_id, violations};

const PHONE: &str = "+212612345678";

impl World {
    async fn told(&self, body: &(Vec<u8>, String)) -> String {
        let message = pb::ReceiveCallbackRequest {
            provider: "text-message".to_owned(),
            body: body.0.clone(),
            signature: body.1.clone(),
            ..Default::default()
        };
        let received = self.providers().receive_callback(message).await.unwrap();
        received.into_inner().answer
    }
}

#[tokio::test]
async fn the_phone_is_asked_confirms_and_the_payment_is_captured() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let started = world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
    let attempt = started.attempt.unwrap();
    let Some(pb::start_attempt_response::Next::TextMessage(prompt)) = started.next else {
        panic!("no prompt");
    };
    assert_eq!(prompt.masked_phone, "•••••••••••78");
    let oid = attempt.provider_order_id.as_str();
    let (asked, payment) = world.phone.asked(oid);
    let payment = payment.unwrap();
    assert_eq!(
        (asked, payment["phone"].as_str(), payment["amount"].as_i64()),
        (1, Some(PHONE), Some(2_000))
    );
    assert_eq!(
        payment["callback_url"],
        "https://wathiq.test/payments/text-message"
    );
    assert_eq!(
        reason(
            world
                .try_start(payer, &payable.payable_id, "text-message", PHONE)
                .await
        ),
        (Code::FailedPrecondition, "TEXT_MESSAGE_PENDING".to_owned())
    );
    let declined = phone::message(oid, "declined", "P1", 2_000, world.now());
    assert_eq!(world.told(&declined).await, "OK");
    // A decline frees the phone for another try, and this one may still succeed.
    world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
    world.phone.confirm(oid, "P2");
    let confirmed = phone::message(oid, "confirmed", "P2", 2_000, world.now());
    assert_eq!(world.told(&confirmed).await, "OK");
    assert_eq!(world.told(&confirmed).await, "OK");
    world.settle(TimeDelta::minutes(2)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(
        (
            found.state(),
            found.attempts[0].state(),
            found.attempts[0].declines
        ),
        (pb::PayableState::Paid, pb::AttemptState::Captured, 1)
    );
    world
        .try_refund(&payable.payable_id, "line-1", 1_200)
        .await
        .unwrap();
    world.settle(TimeDelta::minutes(2)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.refunded_centimes, 1_200);
    let reversals = world.phone.reversals(oid);
    assert_eq!(reversals.len(), 1);
    assert_eq!(reversals[0]["id"], found.refunds[0].refund_id);
}

#[tokio::test]
async fn a_message_that_is_not_proven_is_not_taken() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let started = world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
    let oid = started.attempt.unwrap().provider_order_id;
    let card = world.card(payer, &payable.payable_id).await;
    let signed = |oid: &str, amount, time| phone::message(oid, "confirmed", "P1", amount, time);
    let (body, signature) = signed(&oid, 2_000, world.now());
    let mut wrong = vec![
        (body.clone(), String::new()),
        (body.clone(), signature.replace("sha256=", "sha512=")),
        (body[1..].to_vec(), signature),
        signed(&oid, 200, world.now()),
        signed(&oid, 2_000, world.now() - TimeDelta::minutes(6)),
        signed(&card.oid(), 2_000, world.now()),
    ];
    wrong.push(signed("WTQ", 2_000, world.now()));
    for message in &wrong {
        assert_eq!(world.told(message).await, "FAILURE");
    }
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Open
    );
}

#[tokio::test]
async fn a_confirmation_for_what_was_cancelled_is_given_back() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let started = world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
    let oid = started.attempt.unwrap().provider_order_id;
    world.try_cancel(&payable.payable_id).await.unwrap();
    world.phone.confirm(&oid, "P1");
    let confirmed = phone::message(&oid, "confirmed", "P1", 2_000, world.now());
    assert_eq!(world.told(&confirmed).await, "OK");
    world.settle(TimeDelta::minutes(2)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].state(), pb::AttemptState::Voided);
    assert_eq!(world.phone.reversals(&oid)[0]["transaction"], "P1");
}

#[tokio::test]
async fn while_the_provider_is_down_the_attempt_waits_and_is_told_later() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    world.phone.set_down(true);
    let message = pb::StartAttemptRequest {
        request_id: request_id(),
        payable_id: payable.payable_id.clone(),
        provider: "text-message".to_owned(),
        language: "ar".to_owned(),
        phone: PHONE.to_owned(),
    };
    let start = async || {
        let message = world.by(payer, message.clone());
        world.payments().start_attempt(message).await
    };
    assert_eq!(
        reason(start().await),
        (Code::Unavailable, "PROVIDER_UNAVAILABLE".to_owned())
    );
    world.phone.set_down(false);
    let started = start().await.unwrap().into_inner();
    let oid = started.attempt.unwrap().provider_order_id;
    assert_eq!(world.phone.asked(&oid).0, 1);
    // Told again by nobody.
    world.settle(TimeDelta::minutes(3)).await;
    assert_eq!(world.phone.asked(&oid).0, 1);
    assert_eq!(world.payable(&payable.payable_id).await.attempts.len(), 1);
}

#[tokio::test]
async fn a_number_that_the_provider_refuses_ends_the_attempt() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    assert_eq!(
        violations(
            world
                .try_start(payer, &payable.payable_id, "text-message", "0612")
                .await
        ),
        [("phone".to_owned(), "MALFORMED".to_owned())]
    );
    world.phone.set_refuses(true);
    assert_eq!(
        violations(
            world
                .try_start(payer, &payable.payable_id, "text-message", PHONE)
                .await
        ),
        [("phone".to_owned(), "PHONE_REFUSED".to_owned())]
    );
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].state(), pb::AttemptState::Ended);
    world.phone.set_refuses(false);
    world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_confirmation_that_nobody_told_of_is_found() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let started = world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
    world
        .phone
        .confirm(&started.attempt.unwrap().provider_order_id, "P1");
    world.settle(TimeDelta::minutes(20)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(
        (found.state(), found.attempts[0].state()),
        (pb::PayableState::Paid, pb::AttemptState::Captured)
    );
}

#[tokio::test]
async fn what_is_given_back_is_what_was_taken() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let started = world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
    let oid = started.attempt.unwrap().provider_order_id;
    world.phone.confirm_of(&oid, "P1", 2_500);
    world.settle(TimeDelta::minutes(20)).await;
    let reversals = world.phone.reversals(&oid);
    assert_eq!(
        (reversals.len(), reversals[0]["amount"].as_i64()),
        (1, Some(2_500))
    );
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Open
    );
}

#[tokio::test]
async fn one_phone_is_asked_so_often_a_day() {
    let world = World::start().await;
    for time in 0..6 {
        let payer = Uuid::new_v4();
        let payable = world.open(payer).await;
        let started = world
            .try_start(payer, &payable.payable_id, "text-message", PHONE)
            .await;
        if time < 5 {
            started.unwrap();
        } else {
            let refused = (Code::ResourceExhausted, "TEXT_MESSAGE_QUOTA".to_owned());
            assert_eq!(reason(started), refused);
        }
    }
    world.advance(TimeDelta::hours(24));
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    world
        .try_start(payer, &payable.payable_id, "text-message", PHONE)
        .await
        .unwrap();
}
