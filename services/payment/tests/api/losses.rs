//! Money that the provider has no longer although it said so.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_outbox::testing;
use wathiq_payment::app::reconcile::reconcile;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::World;
use crate::harness::cmi::callback;

impl World {
    async fn reasons(&self) -> Vec<(String, i64)> {
        let listed = self.list_all_differences().await.differences.into_iter();
        listed.map(|one| (one.reason, one.ours_centimes)).collect()
    }
}

#[tokio::test]
async fn an_authorisation_that_the_provider_voids_is_told_listed_and_refunded_without_money() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let id = payable.payable_id.as_str();
    let card = world.card(payer, id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    // The answer is lost, and somebody voids it in the provider's back office.
    world.post(&callback(&card.form, &transaction, "00")).await;
    world.cmi.take_back(&card.oid(), &transaction);
    world.settle(TimeDelta::minutes(2)).await;
    let lost = world.payable(id).await;
    assert_eq!(
        (lost.state(), lost.attempts[0].state()),
        (pb::PayableState::Paid, pb::AttemptState::Voided)
    );
    assert_eq!(world.reasons().await, [("PAYMENT_LOST".to_owned(), 2_000)]);
    reconcile(&world.app, 0).await.unwrap();
    assert_eq!(world.reasons().await, [("PAYMENT_LOST".to_owned(), 2_000)]);

    world.try_refund(id, "line-1", 1_200).await.unwrap();
    world.settle(TimeDelta::minutes(2)).await;
    let refunded = world.payable(id).await;
    let refund = &refunded.refunds[0];
    assert_eq!(
        (refund.state(), refund.released),
        (pb::RefundState::Completed, true)
    );
    assert_eq!(world.reasons().await, [("PAYMENT_LOST".to_owned(), 800)]);
    world.try_refund(id, "line-2", 800).await.unwrap();
    world.settle(TimeDelta::days(1)).await;
    reconcile(&world.app, 0).await.unwrap();
    assert!(world.differences().await.is_empty());
    assert_eq!((world.cmi.count("Credit"), world.cmi.held()), (0, 0));

    let mut conn = world.database.connect().await;
    let events = testing::drain(&mut conn).await;
    let told = events
        .iter()
        .find(|event| event.event_type.ends_with("PaymentLost"));
    let told: pb::PaymentLost = told.unwrap().decode();
    assert_eq!(
        (told.owner_reference, told.amount_centimes),
        (payable.owner_reference, 2_000)
    );
    let completed = events
        .iter()
        .filter(|event| event.event_type.ends_with("RefundCompleted"))
        .map(|event| event.decode::<pb::RefundCompleted>().released);
    assert_eq!(completed.collect::<Vec<_>>(), [true, true]);
}

#[tokio::test]
async fn a_refund_of_what_the_bank_never_captures_fails_at_once() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    world.post(&callback(&card.form, &transaction, "00")).await;
    world.cmi.refuse("PostAuth", 1_000);
    world.settle(TimeDelta::hours(4)).await;
    world.try_refund(&payable.payable_id, "all", 2_000).await.unwrap();
    world.settle(TimeDelta::minutes(1)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.refunds[0].state(), pb::RefundState::Failed);
    let mut reasons = world.reasons().await;
    reasons.sort();
    assert_eq!(
        reasons,
        [
            ("NOT_CAPTURED".to_owned(), 2_000),
            ("REFUND_FAILED".to_owned(), 0)
        ]
    );
}

#[tokio::test]
async fn a_capture_that_the_bank_takes_back_is_found_at_night() {
    let world = World::start().await;
    let (payable, card) = world.captured(Uuid::new_v4()).await;
    let transaction = world.cmi.transactions(&card.oid())[0].id.clone();
    world.cmi.take_back(&card.oid(), &transaction);
    reconcile(&world.app, 0).await.unwrap();
    world.settle(TimeDelta::minutes(1)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].state(), pb::AttemptState::Voided);
    assert!(
        world
            .reasons()
            .await
            .contains(&("PAYMENT_LOST".to_owned(), 2_000))
    );
}
