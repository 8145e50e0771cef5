//! The owners' side: opening, reading, withdrawing.

use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::{World, new_payable, reason, request_id, violations};

#[tokio::test]
async fn the_same_reference_is_the_same_payable_and_another_content_is_refused() {
    let world = World::start().await;
    let message = new_payable(Uuid::new_v4(), "order-1", world.now());
    let opened = world.try_open(message.clone()).await.unwrap();
    assert_eq!(
        (opened.state(), opened.amount_centimes, opened.owner.as_str()),
        (pb::PayableState::Open, 2_000, "civil-registry-order")
    );
    assert_eq!(world.try_open(message.clone()).await.unwrap(), opened);
    let again = pb::OpenPayableRequest {
        request_id: request_id(),
        ..message.clone()
    };
    assert_eq!(world.try_open(again.clone()).await.unwrap(), opened);
    let renamed = pb::OpenPayableRequest {
        request_id: request_id(),
        display_reference: "W4K7-M2PX-94".to_owned(),
        ..again.clone()
    };
    assert_eq!(
        reason(world.try_open(renamed).await),
        (Code::AlreadyExists, "PAYABLE_EXISTS".to_owned())
    );
    let mut other = again;
    other.items[0].amount_centimes += 1;
    other.request_id = request_id();
    assert_eq!(
        reason(world.try_open(other).await),
        (Code::AlreadyExists, "PAYABLE_EXISTS".to_owned())
    );
    let reused = pb::OpenPayableRequest {
        owner_reference: "order-2".to_owned(),
        ..message
    };
    assert_eq!(
        reason(world.try_open(reused).await),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
    let key = Some(pb::get_payable_request::Key::OwnerReference("order-1".to_owned()));
    let found = world.payables().get_payable(pb::GetPayableRequest { key }).await;
    assert_eq!(found.unwrap().into_inner().payable.unwrap(), opened);
}

#[tokio::test]
async fn every_fault_of_a_payable_is_told_at_once() {
    let world = World::start().await;
    let item = pb::PayableItem {
        reference: String::new(),
        label_ar: "x".repeat(201),
        label_fr: "a\u{202e}b".to_owned(),
        amount_centimes: -1,
    };
    let wrong = pb::OpenPayableRequest {
        request_id: request_id(),
        owner_reference: "x".repeat(65),
        items: vec![item],
        payer_person_id: "me".to_owned(),
        payer_name: " ".to_owned(),
        payer_email: "nobody".to_owned(),
        payer_phone: "0600".to_owned(),
        expire_time: None,
        display_reference: "order 1".to_owned(),
    };
    let fields: Vec<String> = violations(world.try_open(wrong).await)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(
        fields,
        [
            "owner_reference",
            "display_reference",
            "items[0].reference",
            "items[0].label_ar",
            "items[0].label_fr",
            "items[0].amount_centimes",
            "payer_person_id",
            "payer_name",
            "payer_email",
            "payer_phone",
            "expire_time"
        ]
    );
    for reference in ["9".repeat(41), "الطلب".to_owned(), "W4K7\u{202e}".to_owned()] {
        let message = pb::OpenPayableRequest {
            display_reference: reference,
            ..new_payable(Uuid::new_v4(), "order", world.now())
        };
        assert_eq!(
            violations(world.try_open(message).await),
            [("display_reference".to_owned(), "MALFORMED".to_owned())]
        );
    }
    for change in [0, i64::MAX / 2] {
        let mut message = new_payable(Uuid::new_v4(), "order", world.now());
        message.items.truncate(1);
        message.items[0].amount_centimes = change;
        violations(world.try_open(message).await);
    }
    for seconds in [299, 30 * 86_400 + 1] {
        let mut message = new_payable(Uuid::new_v4(), "order", world.now());
        message.expire_time.as_mut().unwrap().seconds = world.now().timestamp() + seconds;
        assert_eq!(
            violations(world.try_open(message).await),
            [("expire_time".to_owned(), "OUT_OF_RANGE".to_owned())]
        );
    }
}

#[tokio::test]
async fn withdrawing_ends_what_is_open_and_nothing_else() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let cancelled = world.try_cancel(&payable.payable_id).await.unwrap();
    assert_eq!(cancelled.state(), pb::PayableState::Cancelled);
    assert_eq!(world.try_cancel(&payable.payable_id).await.unwrap(), cancelled);
    assert_eq!(
        reason(world.try_card(payer, &payable.payable_id).await),
        (Code::FailedPrecondition, "PAYABLE_CANCELLED".to_owned())
    );
    let (paid, _) = world.paid(payer).await;
    assert_eq!(
        reason(world.try_cancel(&paid.payable_id).await),
        (Code::FailedPrecondition, "PAYABLE_PAID".to_owned())
    );
    assert_eq!(
        reason(world.try_card(payer, &paid.payable_id).await),
        (Code::FailedPrecondition, "PAYABLE_PAID".to_owned())
    );
}

#[tokio::test]
async fn what_nobody_pays_in_time_expires() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    world.advance(chrono::TimeDelta::days(2));
    assert_eq!(
        reason(world.try_card(payer, &payable.payable_id).await),
        (Code::FailedPrecondition, "PAYABLE_EXPIRED".to_owned())
    );
    world.settle(chrono::TimeDelta::seconds(20)).await;
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Expired
    );
    let expired = world.try_cancel(&payable.payable_id).await.unwrap();
    assert_eq!(expired.state(), pb::PayableState::Expired);
}

#[tokio::test]
async fn lists_go_page_by_page_in_the_order_of_opening() {
    let world = World::start().await;
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.push(world.open(Uuid::new_v4()).await);
        world.advance(chrono::TimeDelta::seconds(1));
    }
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = pb::ListPayablesRequest {
            page_size: 2,
            page_token,
            opened_from: opened[1].create_time,
            opened_before: opened[4].create_time,
        };
        let page = world
            .payables()
            .list_payables(message)
            .await
            .unwrap()
            .into_inner();
        assert!(page.payables.len() <= 2);
        listed.extend(page.payables);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, opened[1..4]);
    let wrong = pb::ListPayablesRequest {
        page_size: -1,
        page_token: "?".to_owned(),
        ..Default::default()
    };
    let faults = violations(world.payables().list_payables(wrong).await);
    assert_eq!(faults.len(), 2);
}
