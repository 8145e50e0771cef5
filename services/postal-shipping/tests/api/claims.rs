//! Silence, claims and their answers.

use chrono::TimeDelta;
use tonic::{Code, Status};
use wathiq_postal_shipping::app::watch_silence::watch_silence;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{World, event, number, reason, request_id};

async fn claim(world: &World, id: &str) -> Result<pb::Shipment, Status> {
    let request = pb::OpenClaimRequest {
        request_id: request_id(),
        shipment_id: id.to_owned(),
        note: "Aucune nouvelle depuis une semaine.".to_owned(),
    };
    let answer = world.office().open_claim(world.by_agent(request)).await?;
    Ok(answer.into_inner().shipment.unwrap())
}

async fn settle(world: &World, id: &str, lost: bool) -> Result<pb::Shipment, Status> {
    let request = pb::SettleClaimRequest {
        request_id: request_id(),
        shipment_id: id.to_owned(),
        lost,
        note: "Réponse écrite du transporteur.".to_owned(),
    };
    let answer = world.office().settle_claim(world.by_agent(request)).await?;
    Ok(answer.into_inner().shipment.unwrap())
}

/// The post keeps what nobody was at home for until a date: only when that has passed without a word is it silent.
#[tokio::test]
async fn what_is_held_for_collection_is_not_silent_while_it_is() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let mut attempt = event(&number(&shipment), "EMH", world.now());
    attempt["held_until"] = "2026-12-07".into();
    world.tell(&[attempt]).await;
    for (days, silent) in [(15, 0), (7, 0), (1, 1), (1, 0)] {
        world.pass(TimeDelta::days(days));
        assert_eq!(
            watch_silence(&world.app).await.unwrap(),
            silent,
            "{}",
            world.now()
        );
    }
    let found = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (found.state(), found.exception_code.as_str()),
        (ShipmentState::HeldForCollection, "SILENT")
    );
}

#[tokio::test]
async fn a_silent_shipment_is_noted_once_and_claimed() {
    let world = World::start().await;
    let (silent, speaking) = (
        world.handed_over("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    let at_the_office = world.created("parcel-3").await;
    world.pass(TimeDelta::days(6));
    world.tell(&[event(&number(&speaking), "EMG", world.now())]).await;
    assert_eq!(watch_silence(&world.app).await.unwrap(), 0);
    assert_eq!(
        reason(claim(&world, &silent.shipment_id).await),
        (Code::FailedPrecondition, "CLAIM_NOT_DUE".to_owned())
    );
    world.pass(TimeDelta::days(2));
    assert_eq!(watch_silence(&world.app).await.unwrap(), 1);
    assert_eq!(watch_silence(&world.app).await.unwrap(), 0);
    let exception = async |id: &str| world.get(id).await.exception_code;
    assert_eq!(exception(&silent.shipment_id).await, "SILENT");
    assert_eq!(exception(&speaking.shipment_id).await, "");
    assert_eq!(exception(&at_the_office.shipment_id).await, "");
    let claimed = claim(&world, &silent.shipment_id).await.unwrap();
    assert_eq!(
        (claimed.state(), claimed.exception_code.as_str()),
        (ShipmentState::Claimed, "")
    );
}

#[tokio::test]
async fn the_carriers_word_ends_the_silence() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    world.pass(TimeDelta::days(8));
    watch_silence(&world.app).await.unwrap();
    world.tell(&[event(&number(&shipment), "EMG", world.now())]).await;
    let found = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (found.state(), found.exception_code.as_str()),
        (ShipmentState::AtDeliveryOffice, "")
    );
    world.pass(TimeDelta::days(8));
    assert_eq!(watch_silence(&world.app).await.unwrap(), 1);
}

#[tokio::test]
async fn a_claim_ends_in_the_loss_or_finds_the_item_again() {
    let world = World::start().await;
    let (lost, found) = (
        world.handed_over("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    world.tell(&[event(&number(&found), "EMC", world.now())]).await;
    world.pass(TimeDelta::days(8));
    watch_silence(&world.app).await.unwrap();
    let state = (Code::FailedPrecondition, "SHIPMENT_STATE".to_owned());
    assert_eq!(reason(settle(&world, &lost.shipment_id, true).await), state);
    claim(&world, &lost.shipment_id).await.unwrap();
    claim(&world, &found.shipment_id).await.unwrap();
    assert_eq!(reason(claim(&world, &lost.shipment_id).await), state);
    assert_eq!(
        settle(&world, &lost.shipment_id, true).await.unwrap().state(),
        ShipmentState::Lost
    );
    assert_eq!(
        settle(&world, &found.shipment_id, false).await.unwrap().state(),
        ShipmentState::InTransit
    );
    assert_eq!(reason(settle(&world, &found.shipment_id, true).await), state);
    assert_eq!(world.get(&lost.shipment_id).await.state(), ShipmentState::Lost);
}

#[tokio::test]
async fn a_loss_that_the_carrier_admits_may_be_claimed() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    world.tell(&[event(&number(&shipment), "XLO", world.now())]).await;
    assert_eq!(
        world.get(&shipment.shipment_id).await.state(),
        ShipmentState::Lost
    );
    assert_eq!(
        claim(&world, &shipment.shipment_id).await.unwrap().state(),
        ShipmentState::Claimed
    );
}
