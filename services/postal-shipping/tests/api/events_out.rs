//! What goes onto topics.

use chrono::TimeDelta;
use wathiq_outbox::testing::{StoredEvent, drain};
use wathiq_postal_shipping::app::watch_silence::watch_silence;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{OFFICE, World, delivered, event, number, request_id};

async fn emitted(world: &World) -> Vec<StoredEvent> {
    drain(&mut world.database.connect().await).await
}

fn names(events: &[StoredEvent]) -> Vec<(&str, i64)> {
    events
        .iter()
        .map(|event| (event.event_type.rsplit('.').next().unwrap(), event.sequence))
        .collect()
}

#[tokio::test]
async fn every_step_is_told_once_in_order_and_without_personal_data() {
    let world = World::start().await;
    assert_eq!(
        names(&emitted(&world).await),
        [("NumberRangeAllocated", 1), ("NumberRangeAllocated", 1)]
    );
    let shipment = world.handed_over("parcel-1").await;
    let mut told = delivered(&number(&shipment), "Karim Filali", world.now());
    told["place"] = serde_json::json!("12 rue Tarfaya");
    let events = [event(&number(&shipment), "ZZZ", world.now()), told];
    world.tell(&events).await;
    world.tell(&events).await;
    let all = emitted(&world).await;
    assert_eq!(
        names(&all),
        [
            ("ShipmentCreated", 1),
            ("ShipmentHandedOver", 2),
            // A code that nobody knows is no news.
            ("ShipmentTracked", 3)
        ]
    );
    assert!(
        all.iter()
            .all(|event| event.aggregate_id.to_string() == shipment.shipment_id)
    );
    let created: pb::ShipmentCreated = all[0].decode();
    assert_eq!(
        (created.owner.as_str(), created.owner_reference.as_str()),
        ("civil-registry-order", "parcel-1")
    );
    assert_eq!(
        (created.office_id, created.tracking_id.unwrap().value),
        (OFFICE.to_string(), number(&shipment))
    );
    let tracked: pb::ShipmentTracked = all[2].decode();
    assert_eq!(
        (tracked.state(), tracked.exception_code.as_str()),
        (ShipmentState::Delivered, "DELIVERED_TO_OTHER")
    );
    for event in &all {
        let payload = String::from_utf8_lossy(&event.payload).to_lowercase();
        for personal in [
            "filali",
            "alaoui",
            "tarfaya",
            "3456",
            "العلوي",
            "20250",
            "212600000000",
        ] {
            assert!(!payload.contains(personal), "{personal} in {}", event.event_type);
        }
    }
}

#[tokio::test]
async fn withdrawals_silence_and_claims_are_told() {
    let world = World::start().await;
    let (gone, silent) = (
        world.created("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    let cancel = pb::CancelShipmentRequest {
        request_id: request_id(),
        shipment_id: gone.shipment_id,
    };
    world.shipments().cancel_shipment(cancel).await.unwrap();
    world.pass(TimeDelta::days(8));
    emitted(&world).await;
    watch_silence(&world.app).await.unwrap();
    watch_silence(&world.app).await.unwrap();
    let note = "Aucune nouvelle depuis une semaine.".to_owned();
    let open = pb::OpenClaimRequest {
        request_id: request_id(),
        shipment_id: silent.shipment_id.clone(),
        note: note.clone(),
    };
    world.office().open_claim(world.by_agent(open)).await.unwrap();
    let settle = pb::SettleClaimRequest {
        request_id: request_id(),
        shipment_id: silent.shipment_id,
        lost: true,
        note,
    };
    world.office().settle_claim(world.by_agent(settle)).await.unwrap();
    let all = emitted(&world).await;
    let told: Vec<_> = all
        .iter()
        .map(StoredEvent::decode::<pb::ShipmentStateChanged>)
        .map(|changed| (changed.state(), changed.exception_code.clone()))
        .collect();
    let expected = [
        (ShipmentState::HandedOver, "SILENT"),
        (ShipmentState::Claimed, ""),
        (ShipmentState::Lost, ""),
    ];
    assert_eq!(
        told,
        expected.map(|(state, exception)| (state, exception.to_owned()))
    );
}

#[tokio::test]
async fn a_withdrawal_is_told() {
    let world = World::start().await;
    let shipment = world.created("parcel-1").await;
    let cancel = pb::CancelShipmentRequest {
        request_id: request_id(),
        shipment_id: shipment.shipment_id,
    };
    world.shipments().cancel_shipment(cancel).await.unwrap();
    assert_eq!(
        names(&emitted(&world).await)[2..],
        [("ShipmentCreated", 1), ("ShipmentCancelled", 2)]
    );
}
