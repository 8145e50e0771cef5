//! Many at once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::future::join_all;
use uuid::Uuid;
use wathiq_payment::app::work::work;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::cmi::callback;
use crate::harness::{World, new_payable, request_id};

const MANY: usize = 64;

#[tokio::test]
async fn one_callback_sixty_four_times_at_once_pays_once() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let fields = callback(&card.form, &transaction, "00");
    let answers = join_all((0..MANY).map(|_| world.post(&fields))).await;
    assert!(answers.iter().all(|answer| answer == "ACTION=POSTAUTH"));
    let mut conn = world.database.connect().await;
    let paid: i64 =
        sqlx::query_scalar("SELECT count(*) FROM outbox WHERE event_type = 'wathiq.payment.v1.PayablePaid'")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert_eq!(paid, 1);
}

#[tokio::test]
async fn sixty_four_successes_at_once_pay_once_and_the_rest_is_given_back() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let mut cards = Vec::new();
    for _ in 0..8 {
        cards.push(world.card(payer, &payable.payable_id).await);
    }
    let pays = (0..MANY).map(|place| world.pay(&cards[place % cards.len()]));
    let answers: Vec<String> = join_all(pays)
        .await
        .into_iter()
        .map(|(_, answer)| answer)
        .collect();
    let captured = answers
        .iter()
        .filter(|answer| *answer == "ACTION=POSTAUTH")
        .count();
    assert_eq!(captured, 1);
    assert!(answers.iter().all(|answer| answer != "FAILURE"));
    world.settle(TimeDelta::hours(1)).await;
    assert_eq!(world.cmi.held(), 2_000);
}

#[tokio::test]
async fn a_withdrawal_and_a_success_at_once_have_one_winner() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    for _ in 0..16 {
        let payable = world.open(payer).await;
        let card = world.card(payer, &payable.payable_id).await;
        let (cancelled, (_, answer)) = tokio::join!(world.try_cancel(&payable.payable_id), world.pay(&card));
        let state = world.payable(&payable.payable_id).await.state();
        match cancelled {
            Ok(_) => assert_eq!(
                (state, answer.as_str()),
                (pb::PayableState::Cancelled, "APPROVED")
            ),
            Err(_) => assert_eq!(
                (state, answer.as_str()),
                (pb::PayableState::Paid, "ACTION=POSTAUTH")
            ),
        }
    }
}

#[tokio::test]
async fn sixty_four_payments_at_once_get_dense_receipt_numbers() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let paid = join_all((0..MANY).map(|_| world.paid(payer))).await;
    let numbers: BTreeSet<String> = paid
        .iter()
        .map(|(payable, _)| payable.receipt_number.clone())
        .collect();
    let dense: BTreeSet<String> = (1..=MANY).map(|number| format!("2026-{number:06}")).collect();
    assert_eq!(numbers, dense);
}

#[tokio::test]
async fn one_reference_opened_and_one_refund_asked_many_times_at_once_are_one_each() {
    let world = World::start().await;
    let message = new_payable(Uuid::new_v4(), "order-1", world.now());
    let opened = join_all((0..MANY).map(|_| {
        let message = pb::OpenPayableRequest {
            request_id: request_id(),
            ..message.clone()
        };
        world.try_open(message)
    }))
    .await;
    let ids: BTreeSet<String> = opened
        .into_iter()
        .map(|opened| opened.unwrap().payable_id)
        .collect();
    assert_eq!(ids.len(), 1);
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    // Sixty-four different wishes of 100 on 2,000: twenty can be granted.
    let references: Vec<String> = (0..MANY).map(|place| format!("line-{place}")).collect();
    let asked = join_all(
        references
            .iter()
            .map(|reference| world.try_refund(&payable.payable_id, reference, 100)),
    )
    .await;
    assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 20);
    // Four workers at once: still one credit at a time, and none twice.
    for _ in 0..60 {
        world.advance(TimeDelta::seconds(5));
        for done in join_all((0..4).map(|_| work(&world.app))).await {
            done.unwrap();
        }
    }
    assert_eq!(world.payable(&payable.payable_id).await.refunded_centimes, 2_000);
    assert_eq!((world.cmi.count("Credit"), world.cmi.held()), (20, 0));
}
