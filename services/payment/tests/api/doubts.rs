//! Messages that say little, or what cannot be true: proven all the same, and never the last word.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_payment::app::work::work_off;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::cmi::{callback, set, sign};
use crate::harness::{Card, World, reason};

/// The fewest fields in which a message can be understood.
fn least(card: &Card, transaction: &str, code: &str) -> Vec<(String, String)> {
    let kept = [
        "clientid",
        "oid",
        "amount",
        "currency",
        "ProcReturnCode",
        "TransId",
    ];
    let mut fields = callback(&card.form, transaction, code);
    fields.retain(|(name, _)| kept.contains(&name.as_str()));
    assert_eq!(fields.len(), kept.len());
    sign(&mut fields);
    fields
}

impl World {
    async fn open_card(&self, payer: Uuid) -> (pb::Payable, Card) {
        let payable = self.open(payer).await;
        let card = self.card(payer, &payable.payable_id).await;
        (payable, card)
    }

    async fn state(&self, payable: &pb::Payable) -> pb::PayableState {
        self.payable(&payable.payable_id).await.state()
    }
}

#[tokio::test]
async fn a_message_of_few_fields_counts() {
    let world = World::start().await;
    let (payable, card) = world.open_card(Uuid::new_v4()).await;
    let declined = world.cmi.decline(&card.oid(), 2_000, "51");
    assert_eq!(world.post(&least(&card, &declined, "51")).await, "APPROVED");
    assert_eq!(
        world.payable(&payable.payable_id).await.attempts[0].decline_code,
        "51"
    );
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let fields = least(&card, &transaction, "00");
    assert_eq!(world.post(&fields).await, "ACTION=POSTAUTH");
    assert_eq!(world.state(&payable).await, pb::PayableState::Paid);
}

#[tokio::test]
async fn the_kind_of_the_store_may_be_written_otherwise_but_not_be_another() {
    let world = World::start().await;
    let (payable, card) = world.open_card(Uuid::new_v4()).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    for (kind, answer) in [("3d_pay", "FAILURE"), ("3d_pay_hosting", "ACTION=POSTAUTH")] {
        let mut fields = callback(&card.form, &transaction, "00");
        set(&mut fields, "storetype", kind);
        sign(&mut fields);
        assert_eq!(world.post(&fields).await, answer, "{kind}");
    }
    assert_eq!(world.state(&payable).await, pb::PayableState::Paid);
}

#[tokio::test]
async fn a_transaction_of_another_order_pays_nothing_and_is_not_given_back() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (payable, first) = world.open_card(payer).await;
    let same = world.card(payer, &payable.payable_id).await;
    let (other, second) = world.open_card(payer).await;
    let (transaction, _) = world.pay(&first).await;
    for card in [&same, &second] {
        let fields = callback(&card.form, &transaction, "00");
        assert_eq!(world.post(&fields).await, "FAILURE");
        assert_eq!(world.post(&fields).await, "FAILURE");
        // The provider's own status may say so as well.
        world.cmi.lists_too(&card.oid(), &first.oid());
    }
    let listed = world.list_all_differences().await.differences;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one.reason == "TRANSACTION_DOUBLED"));
    world.settle(TimeDelta::hours(1)).await;
    assert_eq!(world.cmi.count("Void") + world.cmi.count("Credit"), 0);
    assert_eq!(world.state(&other).await, pb::PayableState::Open);
    let paid = world.payable(&payable.payable_id).await;
    let states: Vec<_> = paid.attempts.iter().map(pb::Attempt::state).collect();
    assert_eq!(states, [pb::AttemptState::Captured, pb::AttemptState::Ended]);
    let mut conn = world.database.connect().await;
    let traces: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE reason = 'TRANSACTION_DOUBLED' AND outcome = 'refused'",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(traces, 4);
    // The order's own success is taken as ever.
    assert_eq!(world.pay(&second).await.1, "ACTION=POSTAUTH");
}

#[tokio::test]
async fn of_an_altered_amount_the_provider_is_asked() {
    let world = World::start().await;
    let (payable, card) = world.open_card(Uuid::new_v4()).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let mut fields = callback(&card.form, &transaction, "00");
    set(&mut fields, "amount", "2.00");
    sign(&mut fields);
    assert_eq!(world.post(&fields).await, "FAILURE");
    work_off(&world.app).await.unwrap();
    assert_eq!(world.state(&payable).await, pb::PayableState::Paid);
}

#[tokio::test]
async fn a_decline_whose_transaction_cannot_be_kept_is_taken() {
    let world = World::start().await;
    let (payable, card) = world.open_card(Uuid::new_v4()).await;
    for transaction in ["T\0T", &"T".repeat(101), ""] {
        let fields = callback(&card.form, transaction, "05");
        assert_eq!(world.post(&fields).await, "APPROVED");
        assert_eq!(world.post(&fields).await, "APPROVED");
    }
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].declines, 3);
    assert_eq!(world.post(&callback(&card.form, "T\0T", "00")).await, "FAILURE");
}

#[tokio::test]
async fn a_success_that_comes_back_after_the_end_is_asked_about_at_once() {
    let world = World::start().await;
    let (payable, card) = world.open_card(Uuid::new_v4()).await;
    world.settle(TimeDelta::minutes(40)).await;
    let ended = world.payable(&payable.payable_id).await;
    assert_eq!(ended.attempts[0].state(), pb::AttemptState::Ended);
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    world
        .try_return(&callback(&card.form, &transaction, "00"))
        .await
        .unwrap();
    let asked = world.payable(&payable.payable_id).await;
    assert!(asked.attempts[0].approved_return_time.is_some());
    work_off(&world.app).await.unwrap();
    assert_eq!(world.state(&payable).await, pb::PayableState::Paid);
}

#[tokio::test]
async fn nobody_pays_twice_while_a_success_is_confirmed() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (payable, card) = world.open_card(payer).await;
    let id = payable.payable_id.as_str();
    // The provider's status does not know of it yet.
    world
        .try_return(&callback(&card.form, "26326ABCD99999", "00"))
        .await
        .unwrap();
    let confirming = (Code::FailedPrecondition, "PAYMENT_CONFIRMING".to_owned());
    assert_eq!(reason(world.try_card(payer, id).await), confirming);
    let phone = world.try_start(payer, id, "text-message", "+212612345678").await;
    assert_eq!(reason(phone), confirming);
    world.settle(TimeDelta::minutes(14)).await;
    assert_eq!(reason(world.try_card(payer, id).await), confirming);
    world.settle(TimeDelta::minutes(2)).await;
    world.card(payer, id).await;
    let found = world.payable(id).await;
    assert_eq!(found.attempts[0].approved_return_time, None);
}
