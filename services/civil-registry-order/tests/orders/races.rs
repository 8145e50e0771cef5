//! Paid after cancelling, cancelled while paying, expired, late, lost; events before answers, twice and out of order.

use chrono::TimeDelta;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{Person, World, line, reason, request_id};

async fn cancel(world: &World, citizen: Person, order: &pb::Order) -> Result<pb::Order, tonic::Status> {
    let request = pb::CancelLinesRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        ..Default::default()
    };
    let answer = world
        .orders()
        .cancel_lines(world.as_citizen(citizen, request))
        .await?;
    world.drive().await;
    Ok(answer.into_inner().order.unwrap())
}

fn payable(world: &World, order: &pb::Order) -> payment::Payable {
    world.peers.payables.lock().unwrap()[&order.order_id].clone()
}

#[tokio::test]
async fn what_is_cancelled_before_it_is_paid_is_withdrawn_at_payment() {
    let world = World::start().await;
    let citizen = world.citizen();
    let order = world.place(citizen, vec![line("1")]).await;
    let cancelled = cancel(&world, citizen, &order).await.unwrap();
    assert_eq!(cancelled.state(), pb::OrderState::Cancelled);
    assert_eq!(payable(&world, &order).state(), payment::PayableState::Cancelled);
    assert_eq!(payable(&world, &order).display_reference, order.reference);
    assert_eq!(world.events(&order).await, ["OrderPlaced", "LinesCancelled"]);
}

#[tokio::test]
async fn what_was_paid_while_it_was_cancelled_is_given_back_once() {
    let world = World::start().await;
    let citizen = world.citizen();
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    // The money is taken, the event is on its way, the citizen cancels.
    world
        .peers
        .payables
        .lock()
        .unwrap()
        .get_mut(&order.order_id)
        .unwrap()
        .set_state(payment::PayableState::Paid);
    cancel(&world, citizen, &order).await.unwrap();
    world.pay(&order).await;
    let standing = payable(&world, &order);
    assert_eq!(standing.refunds.len(), 2);
    for line in &order.lines {
        world.give_back(&order, line).await;
    }
    let order = world.get(citizen, &order).await;
    assert_eq!(order.state(), pb::OrderState::Refunded);
    assert_eq!(payable(&world, &order).refunded_centimes, 4_000);
}

#[tokio::test]
async fn what_is_paid_and_waits_is_cancelled_and_refunded_but_not_from_production_on() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    let request = pb::CancelLinesRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        line_ids: order.lines.iter().map(|line| line.line_id.clone()).collect(),
        etag: String::new(),
    };
    let refused = world
        .orders()
        .cancel_lines(world.as_citizen(citizen, request))
        .await;
    assert_eq!(
        reason(refused),
        (tonic::Code::FailedPrecondition, "LINE_IN_PRODUCTION".to_owned()),
        "all that are named, or none"
    );
    // Where none is named, it is those that can be cancelled.
    cancel(&world, citizen, &order).await.unwrap();
    world.drive().await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::InProduction);
    assert_eq!(order.lines[1].state(), pb::LineState::Refunding);
    assert_eq!(payable(&world, &order).refunds.len(), 1);
}

#[tokio::test]
async fn a_part_of_an_unpaid_order_is_not_cancelled() {
    let world = World::start().await;
    let citizen = world.citizen();
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    let request = pb::CancelLinesRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        line_ids: vec![order.lines[1].line_id.clone()],
        etag: String::new(),
    };
    let refused = world
        .orders()
        .cancel_lines(world.as_citizen(citizen, request))
        .await;
    assert_eq!(reason(refused).1, "ORDER_NOT_PAID");
}

#[tokio::test]
async fn nobody_pays_and_the_order_expires_only_when_payment_says_so() {
    let world = World::start().await;
    let citizen = world.citizen();
    let (unpaid, paid) = (
        world.place(citizen, vec![line("1")]).await,
        world.place(citizen, vec![line("2")]).await,
    );
    // The second was paid at the last moment: the event has not come yet.
    world
        .peers
        .payables
        .lock()
        .unwrap()
        .get_mut(&paid.order_id)
        .unwrap()
        .set_state(payment::PayableState::Paid);
    world.after(TimeDelta::hours(49)).await;
    assert_eq!(world.get(citizen, &unpaid).await.state(), pb::OrderState::Expired);
    assert_eq!(
        world.get(citizen, &paid).await.state(),
        pb::OrderState::InProgress
    );
    world.pay(&paid).await;
    assert_eq!(world.events(&paid).await, ["OrderPlaced", "OrderPaid"]);
}

#[tokio::test]
async fn what_is_not_produced_is_told_and_then_refunded() {
    let world = World::start().await;
    let citizen = world.citizen();
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.after(TimeDelta::days(5)).await;
    assert_eq!(world.events(&order).await.last().unwrap(), "LineAlerted");
    world.after(TimeDelta::days(20)).await;
    assert_eq!(world.events(&order).await.last().unwrap(), "LinesRefunding");
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].end_reason, "OVERDUE");
    assert_eq!(payable(&world, &order).refunds.len(), 1);
}

#[tokio::test]
async fn a_delivery_that_is_heard_before_the_hand_over_counts_and_older_news_do_not() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let order = world.get(citizen, &order).await;
    let parcel = order.parcels[0].clone();
    world.track(&parcel, 7, ShipmentState::Delivered).await;
    world.track(&parcel, 6, ShipmentState::HeldForCollection).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::Delivered);
    assert_eq!(order.parcels[0].shipment_state, "DELIVERED");
    let events = world.events(&order).await;
    assert_eq!(events[events.len() - 2..], ["LinesHandedOver", "LinesDelivered"]);
}

#[tokio::test]
async fn what_the_post_has_lost_is_refunded() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let order = world.get(citizen, &order).await;
    world.track(&order.parcels[0], 7, ShipmentState::Lost).await;
    world.drive().await;
    assert_eq!(payable(&world, &order).refunds[0].reason_code, "LINE_LOST");
}
