//! The list of what needs a person: what comes onto it, and how it leaves it.

use chrono::TimeDelta;
use prost::Message;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::{self as postal, ShipmentState};

use crate::harness::{OFFICE, Person, World, line};

async fn exceptions(world: &World, agent: Person) -> Vec<pb::ExceptionEntry> {
    let request = pb::ListExceptionsRequest {
        office_id: OFFICE.to_string(),
        ..Default::default()
    };
    let answer = world.office().list_exceptions(world.staff(agent, request)).await;
    answer.unwrap().into_inner().entries
}

/// An order of one line whose parcel is with the post.
async fn posted(world: &World, citizen: Person, agent: Person) -> pb::Order {
    let officer = world.officer();
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let order = world.get(citizen, &order).await;
    world.track(&order.parcels[0], 5, ShipmentState::HandedOver).await;
    world.get(citizen, &order).await
}

#[tokio::test]
async fn what_came_back_is_shown_for_a_while_and_then_told_once() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = posted(&world, citizen, agent).await;
    world.track(&order.parcels[0], 6, ShipmentState::Returned).await;
    let listed = exceptions(&world, agent).await;
    assert_eq!(listed[0].code, "RETURNED");
    assert!(listed[0].deadline.is_some(), "it says until when");
    let returned = world.get(citizen, &order).await;
    assert_eq!(returned.lines[0].state(), pb::LineState::Returned);
    assert_eq!(
        returned.lines[0].deadline, None,
        "the office's, not the citizen's"
    );
    world.after(TimeDelta::days(29)).await;
    assert_eq!(exceptions(&world, agent).await.len(), 1);
    world.after(TimeDelta::days(2)).await;
    assert_eq!(exceptions(&world, agent).await, []);
    world.after(TimeDelta::days(60)).await;
    let events = world.events(&order).await;
    let told = events.iter().filter(|event| *event == "LineAlerted").count();
    assert_eq!((told, events.last().unwrap().as_str()), (1, "LineAlerted"));
    assert_eq!(
        world.get(citizen, &order).await.lines[0].state(),
        pb::LineState::Returned
    );
}

#[tokio::test]
async fn a_delivery_to_somebody_else_is_shown_for_a_while_and_told_as_such() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = posted(&world, citizen, agent).await;
    let parcel = &order.parcels[0];
    let event = postal::ShipmentTracked {
        shipment_id: parcel.shipment_id.clone(),
        owner: "civil-registry-order".to_owned(),
        owner_reference: parcel.parcel_id.clone(),
        state: ShipmentState::Delivered.into(),
        exception_code: "DELIVERED_TO_OTHER".to_owned(),
        ..Default::default()
    };
    world.hear("wathiq.postal-shipping.shipment.v1", 6, &event).await;
    assert_eq!(exceptions(&world, agent).await[0].code, "DELIVERED_TO_OTHER");
    let mut conn = world.database.connect().await;
    let delivered = wathiq_outbox::testing::events(&mut conn).await;
    let delivered = delivered
        .iter()
        .find(|event| event.event_type.ends_with("LinesDelivered"))
        .unwrap();
    let delivered = pb::LinesDelivered::decode(delivered.payload.as_slice()).unwrap();
    assert_eq!(
        delivered.exception_code, "DELIVERED_TO_OTHER",
        "so that no mail says that all is well"
    );
    world.after(TimeDelta::days(31)).await;
    assert_eq!(exceptions(&world, agent).await, []);
    let events = world.events(&order).await;
    assert!(!events.contains(&"LineAlerted".to_owned()), "{events:?}");
}

#[tokio::test]
async fn what_is_produced_and_not_posted_and_what_the_post_is_silent_about_is_told() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    assert_eq!(exceptions(&world, agent).await, []);
    world.after(TimeDelta::days(7)).await;
    assert_eq!(exceptions(&world, agent).await[0].code, "PRODUCED_NOT_POSTED");
    let order = world.get(citizen, &order).await;
    world.track(&order.parcels[0], 5, ShipmentState::InTransit).await;
    assert_eq!(exceptions(&world, agent).await, [], "the post has it");
    world.after(TimeDelta::days(22)).await;
    assert_eq!(exceptions(&world, agent).await[0].code, "POSTED_AND_SILENT");
    world
        .track(&order.parcels[0], 6, ShipmentState::AtDeliveryOffice)
        .await;
    assert_eq!(exceptions(&world, agent).await, [], "it has spoken");
}
