//! Giving back.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_chassis::testing::{token, with_token};
use wathiq_chassis::{Surface, TokenClaims};
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::{World, reason, request_id, violations};

#[tokio::test]
async fn parts_are_given_back_up_to_what_was_paid() {
    let world = World::start().await;
    let (payable, card) = world.captured(Uuid::new_v4()).await;
    let id = payable.payable_id.as_str();
    let first = world.try_refund(id, "line-1", 1_200).await.unwrap();
    assert_eq!(first.state(), pb::RefundState::Requested);
    assert_eq!(world.try_refund(id, "line-1", 1_200).await.unwrap(), first);
    assert_eq!(
        reason(world.try_refund(id, "line-1", 1_199).await),
        (Code::AlreadyExists, "REFUND_EXISTS".to_owned())
    );
    assert_eq!(
        reason(world.try_refund(id, "line-2", 801).await),
        (Code::FailedPrecondition, "REFUND_TOO_MUCH".to_owned())
    );
    world.try_refund(id, "line-2", 800).await.unwrap();
    world.settle(TimeDelta::minutes(5)).await;
    let found = world.payable(id).await;
    assert_eq!(found.refunded_centimes, 2_000);
    assert!(
        found
            .refunds
            .iter()
            .all(|refund| refund.state() == pb::RefundState::Completed && refund.complete_time.is_some())
    );
    assert_eq!((world.cmi.held(), world.cmi.count("Credit")), (0, 2));
    assert_eq!(world.cmi.transactions(&card.oid()).len(), 3);
}

#[tokio::test]
async fn what_is_not_captured_yet_is_captured_first() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    // The answer is lost: the provider has not captured.
    world
        .post(&crate::harness::cmi::callback(&card.form, &transaction, "00"))
        .await;
    world.try_refund(&payable.payable_id, "all", 2_000).await.unwrap();
    world.settle(TimeDelta::minutes(5)).await;
    assert_eq!((world.cmi.count("PostAuth"), world.cmi.count("Credit")), (1, 1));
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(
        (
            found.attempts[0].state(),
            found.refunded_centimes,
            world.cmi.held()
        ),
        (pb::AttemptState::Captured, 2_000, 0)
    );
}

#[tokio::test]
async fn a_credit_whose_answer_is_lost_is_never_sent_twice() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    world.cmi.lose("Credit", 1);
    world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
    world.settle(TimeDelta::minutes(10)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.refunds[0].state(), pb::RefundState::Completed);
    assert_eq!((world.cmi.count("Credit"), world.cmi.held()), (1, 1_500));
}

#[tokio::test]
async fn a_credit_that_is_refused_for_good_fails_and_is_listed() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    world.cmi.refuse("Credit", 100);
    world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
    // Long enough for the acquirer to settle the capture, and not in a burst.
    world.settle(TimeDelta::hours(47)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.refunds[0].state(), pb::RefundState::Requested);
    world.settle(TimeDelta::hours(24)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.refunds[0].state(), pb::RefundState::Failed);
    assert!(
        (6..20).contains(&world.cmi.count("Credit")),
        "{}",
        world.cmi.count("Credit")
    );
    assert_eq!(world.cmi.held(), 2_000);
    let differences = world.differences().await;
    assert_eq!(differences.len(), 1);
    assert_eq!(
        (differences[0].reason.as_str(), differences[0].theirs_centimes),
        ("REFUND_FAILED", 500)
    );
}

#[tokio::test]
async fn a_credit_that_is_refused_before_the_day_is_settled_is_done_afterwards() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    world.cmi.refuse("Credit", 1_000);
    world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
    world.settle(TimeDelta::hours(16)).await;
    world.cmi.refuse("Credit", 0);
    world.settle(TimeDelta::hours(14)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(
        (found.refunds[0].state(), world.cmi.held()),
        (pb::RefundState::Completed, 1_500)
    );
}

#[tokio::test]
async fn nothing_is_given_back_of_what_was_not_paid_and_faults_are_told() {
    let world = World::start().await;
    let payable = world.open(Uuid::new_v4()).await;
    assert_eq!(
        reason(world.try_refund(&payable.payable_id, "line", 1).await),
        (Code::FailedPrecondition, "PAYABLE_NOT_PAID".to_owned())
    );
    let wrong = pb::RequestRefundRequest {
        request_id: request_id(),
        payable_id: String::new(),
        owner_reference: String::new(),
        amount_centimes: 0,
        reason_code: "because".to_owned(),
    };
    let faults = violations(world.payables().request_refund(wrong).await);
    let fields: Vec<&str> = faults.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        ["payable_id", "owner_reference", "amount_centimes", "reason_code"]
    );
}

#[tokio::test]
async fn a_credit_that_is_done_and_answered_otherwise_is_never_sent_twice() {
    let world = World::start().await;
    for word in ["Error", "Declined"] {
        let (payable, card) = world.captured(Uuid::new_v4()).await;
        world.cmi.belie("Credit", word);
        world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
        world.settle(TimeDelta::minutes(10)).await;
        let found = world.payable(&payable.payable_id).await;
        assert_eq!(found.refunds[0].state(), pb::RefundState::Completed, "{word}");
        let credits = world.cmi.transactions(&card.oid());
        assert_eq!(credits.iter().filter(|trx| trx.kind == 'C').count(), 1, "{word}");
    }
}

#[tokio::test]
async fn an_administrator_has_a_failed_refund_tried_anew() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    let attempt_id = payable.attempts[0].attempt_id.clone();
    let by = |administrator: bool| {
        let claims = TokenClaims {
            surface: Surface::Staff,
            padm: administrator,
            ..world.claims(Uuid::new_v4())
        };
        let message = pb::RetryRefundsRequest {
            request_id: request_id(),
            attempt_id: attempt_id.clone(),
        };
        with_token(message, &token(&claims))
    };
    let mut service = world.reconciliation();
    assert_eq!(
        reason(service.retry_refunds(by(true)).await),
        (Code::FailedPrecondition, "REFUND_NOT_FAILED".to_owned())
    );
    world.cmi.refuse("Credit", 1_000);
    world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
    world.settle(TimeDelta::days(3)).await;
    world.cmi.refuse("Credit", 0);
    assert_eq!(
        reason(service.retry_refunds(by(false)).await),
        (Code::PermissionDenied, "ADMINISTRATOR_REQUIRED".to_owned())
    );
    let retried = service.retry_refunds(by(true)).await.unwrap().into_inner();
    assert_eq!(retried.refunds.len(), 1);
    assert!(world.differences().await.is_empty());
    world.settle(TimeDelta::minutes(5)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(
        (found.refunds[0].state(), world.cmi.held()),
        (pb::RefundState::Completed, 1_500)
    );
}
