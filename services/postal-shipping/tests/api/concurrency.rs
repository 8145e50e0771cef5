//! Sixty-four at a time, where numbers are given.

use std::collections::BTreeSet;

use futures::future::join_all;
use tonic::Code;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShippingProduct::RegisteredDomestic;

use crate::harness::{OFFICE, World, create, event, number, request_id};

const MANY: usize = 64;

#[tokio::test]
async fn sixty_four_shipments_have_sixty_four_numbers() {
    let world = World::empty().await;
    // Two ranges, so that one ends on the way.
    world.allocate("RR", 100, 139, RegisteredDomestic).await.unwrap();
    world.allocate("RA", 100, 123, RegisteredDomestic).await.unwrap();
    let references: Vec<String> = (0..MANY).map(|index| format!("parcel-{index}")).collect();
    let created = join_all(
        references
            .iter()
            .map(|reference| world.try_create(create(reference))),
    )
    .await;
    let numbers: BTreeSet<String> = created
        .into_iter()
        .map(|shipment| number(&shipment.unwrap()))
        .collect();
    assert_eq!(numbers.len(), MANY);
    // Exactly all of both ranges: no number was lost.
    let exhausted = world.try_create(create("one-more")).await.err().unwrap();
    assert_eq!(exhausted.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn one_reference_asked_for_sixty_four_times_is_one_shipment() {
    let world = World::start().await;
    let request = create("parcel-1");
    let asked = join_all((0..MANY).map(|index| {
        let request_id = if index % 2 == 0 {
            request.request_id.clone()
        } else {
            request_id()
        };
        world.try_create(pb::CreateShipmentRequest {
            request_id,
            ..request.clone()
        })
    }))
    .await;
    let ids: BTreeSet<String> = asked
        .into_iter()
        .map(|shipment| shipment.unwrap().shipment_id)
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(number(&world.created("parcel-2").await), "RR000100012MA");
}

#[tokio::test]
async fn lists_have_dense_numbers() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for index in 0..16 {
        ids.push(world.created(&format!("parcel-{index}")).await.shipment_id);
    }
    // Each is handed over by two at once: one of the two wins.
    let twice: Vec<&String> = ids.iter().chain(&ids).collect();
    let lists = join_all(
        twice
            .iter()
            .map(|id| async { world.try_hand_over(&[id.as_str()]).await }),
    )
    .await;
    let numbers: BTreeSet<String> = lists.into_iter().flatten().map(|list| list.number).collect();
    let expected: BTreeSet<String> = (1..=16).map(|number| format!("2026/{number:06}")).collect();
    assert_eq!(numbers, expected);
    let request = pb::ListDepositListsRequest {
        office_id: OFFICE.to_string(),
        page_size: 200,
        ..Default::default()
    };
    let listed = world
        .office()
        .list_deposit_lists(world.by_agent(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.deposit_lists.len(), 16);
}

#[tokio::test]
async fn the_same_events_told_by_many_at_once_are_taken_once() {
    let world = World::start().await;
    let (first, second) = (
        world.handed_over("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    let (a, b) = (number(&first), number(&second));
    let told = join_all((0..32).map(|index| {
        let mut events = vec![event(&a, "EMG", world.now()), event(&b, "EMH", world.now())];
        if index % 2 == 0 {
            events.reverse();
        }
        let world = &world;
        async move { world.try_tell(&events).await }
    }))
    .await;
    let taken: i32 = told.into_iter().map(|answer| answer.unwrap().taken).sum();
    assert_eq!(taken, 2);
    assert_eq!(world.get(&second.shipment_id).await.attempts, 1);
}
