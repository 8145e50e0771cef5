//! Sixty-four at a time, where numbers are given.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::future::join_all;
use tonic::{Code, Status};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShippingProduct::RegisteredDomestic;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_client::ShipmentServiceClient;

use crate::harness::{OFFICE, World, create, event, number, request_id};

const MANY: usize = 64;
/// How often a caller asks again.
const PATIENCE: usize = 50;

/// Asks as a service does: whoever is told that all connections are taken, as happens on a busy machine, asks the same again.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Status>) -> T {
    for _ in 1..PATIENCE {
        match ask().await {
            Err(status) if status.code() == Code::Unavailable => {}
            answer => return answer.unwrap(),
        }
    }
    ask().await.unwrap()
}

#[tokio::test]
async fn sixty_four_shipments_have_sixty_four_numbers() {
    let world = World::empty().await;
    // Two ranges, so that one ends on the way.
    world.allocate("RR", 100, 139, RegisteredDomestic).await.unwrap();
    world.allocate("RA", 100, 123, RegisteredDomestic).await.unwrap();
    let placements: Vec<_> = (0..MANY)
        .map(|index| create(&format!("parcel-{index}")))
        .collect();
    let world = &world;
    let created = placements
        .iter()
        .map(|placement| patiently(async move || world.try_create(placement.clone()).await));
    let numbers: BTreeSet<String> = join_all(created).await.iter().map(number).collect();
    assert_eq!(numbers.len(), MANY);
    // Exactly all of both ranges: no number was lost.
    let exhausted = world.try_create(create("one-more")).await.err().unwrap();
    assert_eq!(exhausted.code(), Code::ResourceExhausted);
}

/// Every other placement goes to another process on the same database, and then all go to the other: no number is given twice, and none is
/// left out.
#[tokio::test]
async fn two_replicas_give_each_number_once() {
    let world = World::empty().await;
    let many = u32::try_from(MANY).unwrap();
    world
        .allocate("RR", 500, 499 + many, RegisteredDomestic)
        .await
        .unwrap();
    let replicas = [
        world.shipments(),
        ShipmentServiceClient::new(world.replica().await),
    ];
    let placements: Vec<_> = (0..MANY)
        .map(|index| create(&format!("parcel-{index}")))
        .collect();
    let ask = async |first: usize| {
        let asked = placements.iter().enumerate().map(|(index, placement)| {
            let replica = &replicas[(first + index) % replicas.len()];
            patiently(async move || replica.clone().create_shipment(placement.clone()).await)
        });
        let answers = join_all(asked).await.into_iter();
        let numbers = answers.map(|answer| number(&answer.into_inner().shipment.unwrap()));
        numbers.collect::<Vec<_>>()
    };
    let numbers = ask(0).await;
    let serials: BTreeSet<u32> = numbers
        .iter()
        .map(|number| number[2..10].parse().unwrap())
        .collect();
    assert_eq!(serials, (500..500 + many).collect());
    assert_eq!(ask(1).await, numbers);
    let exhausted = world.try_create(create("one-more")).await.err().unwrap();
    assert_eq!(exhausted.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn one_reference_asked_for_sixty_four_times_is_one_shipment() {
    let world = World::start().await;
    let request = create("parcel-1");
    let requests: Vec<_> = (0..MANY)
        .map(|index| pb::CreateShipmentRequest {
            request_id: if index % 2 == 0 {
                request.request_id.clone()
            } else {
                request_id()
            },
            ..request.clone()
        })
        .collect();
    let world = &world;
    let asked = requests
        .iter()
        .map(|request| patiently(async move || world.try_create(request.clone()).await));
    let ids: BTreeSet<String> = join_all(asked)
        .await
        .into_iter()
        .map(|shipment| shipment.shipment_id)
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

/// Messages about items that nobody here knows, with the same events in other orders: none fails for want of a row that another holds.
#[tokio::test]
async fn events_of_unknown_items_are_kept_whoever_comes_first() {
    let world = World::start().await;
    let events: Vec<_> = (0..400)
        .map(|minute| event("RR123456785MA", "EMC", world.now() - TimeDelta::minutes(minute)))
        .collect();
    let told = join_all((0..8).map(|index| {
        let mut events = events.clone();
        if index % 2 == 0 {
            events.reverse();
        }
        let world = &world;
        async move { world.try_tell(&events).await }
    }))
    .await;
    for answer in told {
        assert_eq!(answer.unwrap().unknown_tracking_ids, ["RR123456785MA"]);
    }
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
        async move { patiently(async || world.try_tell(&events).await).await }
    }))
    .await;
    let taken: i32 = told.into_iter().map(|answer| answer.taken).sum();
    assert_eq!(taken, 2);
    assert_eq!(world.get(&second.shipment_id).await.attempts, 1);
}
