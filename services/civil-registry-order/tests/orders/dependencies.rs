//! A service that is down: the order waits, says so, and goes on afterwards.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{World, line, order_request, reason};

#[tokio::test]
async fn without_payment_an_order_is_placed_and_waits() {
    let world = World::start().await;
    let citizen = world.citizen();
    world.peers.payment_down.store(true, Ordering::SeqCst);
    let order = world.place(citizen, vec![line("1")]).await;
    assert_eq!(
        (order.payable_id.as_str(), order.progress_code.as_str()),
        ("", "WAITING_FOR_PAYMENT_SERVICE")
    );
    world.after(TimeDelta::seconds(30)).await;
    world.peers.payment_down.store(false, Ordering::SeqCst);
    world.after(TimeDelta::minutes(6)).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.progress_code, "WAITING_FOR_PAYMENT");
    world.pay(&order).await;
    assert_eq!(world.events(&order).await, ["OrderPlaced", "OrderPaid"]);
}

#[tokio::test]
async fn without_the_post_what_is_produced_waits() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.peers.postal_down.store(true, Ordering::SeqCst);
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let waiting = world.get(citizen, &order).await;
    assert_eq!(waiting.lines[0].state(), pb::LineState::Produced);
    assert_eq!(waiting.lines[0].progress_code, "WAITING_FOR_POSTAL_SERVICE");
    world.peers.postal_down.store(false, Ordering::SeqCst);
    world.after(TimeDelta::minutes(6)).await;
    let going = world.get(citizen, &order).await;
    assert_eq!(going.lines[0].progress_code, "WAITING_FOR_POST");
    assert!(!going.parcels[0].tracking_number.is_empty());
}

#[tokio::test]
async fn without_identity_nothing_is_placed_and_the_reason_says_so() {
    let world = World::start().await;
    let citizen = world.citizen();
    world.identity.down.store(true, Ordering::SeqCst);
    let request = order_request(vec![line("1")]);
    let refused = world
        .orders()
        .place_order(world.as_citizen(citizen, request.clone()))
        .await;
    assert_eq!(
        reason(refused),
        (tonic::Code::Unavailable, "IDENTITY_UNAVAILABLE".to_owned())
    );
    world.identity.down.store(false, Ordering::SeqCst);
    world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await
        .unwrap();
}
