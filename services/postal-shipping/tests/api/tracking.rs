//! Deliveries, their rules, and what the public sees.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tonic::Code;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{OFFICE, World, delivered, event, number, reason, request_id, violations};

#[tokio::test]
async fn a_mandatary_may_receive_and_a_stranger_is_an_exception() {
    let world = World::start().await;
    let (first, second) = (
        world.handed_over("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    world
        .tell(&[
            delivered(&number(&first), "سلمي بن كيران", world.now()),
            delivered(&number(&second), "Karim Filali", world.now()),
        ])
        .await;
    let first = world.get(&first.shipment_id).await;
    assert_eq!(
        (first.state(), first.exception_code.as_str()),
        (ShipmentState::Delivered, "")
    );
    assert_eq!(first.proof.unwrap().recipient_relation, "MANDATARY");
    let second = world.get(&second.shipment_id).await;
    assert_eq!(
        (second.state(), second.exception_code.as_str()),
        (ShipmentState::Delivered, "DELIVERED_TO_OTHER")
    );
    // The office finds it on its list of exceptions.
    let request = pb::ListOfficeShipmentsRequest {
        office_id: OFFICE.to_string(),
        exceptions_only: true,
        ..Default::default()
    };
    let listed = world
        .office()
        .list_office_shipments(world.by_agent(request))
        .await
        .unwrap()
        .into_inner();
    let listed: Vec<_> = listed
        .shipments
        .into_iter()
        .map(|shipment| shipment.shipment_id)
        .collect();
    assert_eq!(listed, [second.shipment_id]);
}

#[tokio::test]
async fn without_a_document_it_stays_where_it_was_until_the_office_adds_it() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let number = number(&shipment);
    world.pass(TimeDelta::hours(2));
    let mut undocumented = delivered(&number, "Mohamed El Alaoui", world.now());
    undocumented["document_last_four"] = json!("");
    world
        .tell(&[
            event(&number, "EMG", world.now() - TimeDelta::hours(1)),
            undocumented,
        ])
        .await;
    let standing = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (standing.state(), standing.exception_code.as_str()),
        (ShipmentState::AtDeliveryOffice, "DELIVERED_WITHOUT_DOCUMENT")
    );
    assert!(standing.proof.is_none());
    let scan = pb::RecordScanRequest {
        request_id: request_id(),
        tracking_id: number,
        event: Some(pb::CarrierEvent {
            code: "EMI".to_owned(),
            event_time: Some(prost_types::Timestamp {
                seconds: world.now().timestamp(),
                nanos: 0,
            }),
            recipient_name: "Mohamed El Alaoui".to_owned(),
            document_kind: pb::RecipientDocumentKind::Passport.into(),
            document_last_four: "z9k1".to_owned(),
            ..Default::default()
        }),
    };
    let answer = world
        .office()
        .record_scan(world.by_agent(scan))
        .await
        .unwrap()
        .into_inner();
    let delivered = answer.shipment.unwrap();
    assert_eq!(
        (delivered.state(), delivered.exception_code.as_str()),
        (ShipmentState::Delivered, "")
    );
    assert_eq!(delivered.proof.unwrap().document_last_four, "Z9K1");
}

fn typed_delivery(number: &str, at: DateTime<Utc>) -> pb::RecordScanRequest {
    pb::RecordScanRequest {
        request_id: request_id(),
        tracking_id: number.to_owned(),
        event: Some(pb::CarrierEvent {
            code: "EMI".to_owned(),
            event_time: Some(prost_types::Timestamp {
                seconds: at.timestamp(),
                nanos: 0,
            }),
            recipient_name: "Mohamed El Alaoui".to_owned(),
            document_kind: pb::RecipientDocumentKind::Cin.into(),
            document_last_four: "3456".to_owned(),
            ..Default::default()
        }),
    }
}

#[tokio::test]
async fn the_office_delivers_nothing_that_was_not_posted() {
    let world = World::start().await;
    let shipment = world.created("parcel-1").await;
    let number = number(&shipment);
    let typed = async |at: DateTime<Utc>| {
        let request = world.by_agent(typed_delivery(&number, at));
        world.office().record_scan(request).await
    };
    assert_eq!(
        reason(typed(world.now()).await),
        (Code::FailedPrecondition, "SHIPMENT_NOT_HANDED_OVER".to_owned())
    );
    world.pass(TimeDelta::hours(1));
    world.try_hand_over(&[&shipment.shipment_id]).await.unwrap();
    let handed_over = world.now();
    world.pass(TimeDelta::hours(1));
    let wrong = |reason: &str| [("event.event_time".to_owned(), reason.to_owned())];
    let before = typed(handed_over - TimeDelta::minutes(1)).await;
    assert_eq!(violations(before), wrong("BEFORE_HAND_OVER"));
    let future = typed(world.now() + TimeDelta::minutes(1)).await;
    assert_eq!(violations(future), wrong("IN_FUTURE"));
    let untouched = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (untouched.state(), untouched.events.len()),
        (ShipmentState::HandedOver, 0)
    );
    let delivered = typed(handed_over + TimeDelta::minutes(30)).await.unwrap();
    let delivered = delivered.into_inner().shipment.unwrap();
    assert_eq!(delivered.state(), ShipmentState::Delivered);
}

/// The carrier had it before the office said so: that is as good as a hand-over. What an office typed itself is not.
#[tokio::test]
async fn a_parcel_that_the_carrier_has_scanned_is_posted() {
    let world = World::start().await;
    let shipment = world.created("parcel-1").await;
    let number = number(&shipment);
    let old = event(&number, "EMG", world.now() - TimeDelta::hours(1));
    assert_eq!(world.tell(&[old]).await.taken, 1);
    let waiting = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (waiting.state(), waiting.events.len()),
        (ShipmentState::LabelPrinted, 1)
    );
    let typed = async || {
        let request = world.by_agent(typed_delivery(&number, world.now()));
        world.office().record_scan(request).await
    };
    assert_eq!(reason(typed().await).1, "SHIPMENT_NOT_HANDED_OVER");
    world.tell(&[event(&number, "EMA", world.now())]).await;
    let delivered = typed().await.unwrap().into_inner().shipment.unwrap();
    assert_eq!(delivered.state(), ShipmentState::Delivered);
}

#[tokio::test]
async fn an_attempt_after_a_delivery_is_a_contradiction() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, then) = (number(&shipment), world.now());
    world.pass(TimeDelta::hours(3));
    world
        .tell(&[event(&number, "EMH", then + TimeDelta::hours(2))])
        .await;
    world
        .tell(&[delivered(
            &number,
            "Mohamed El Alaoui",
            then + TimeDelta::hours(1),
        )])
        .await;
    let found = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (found.state(), found.exception_code.as_str()),
        (ShipmentState::Delivered, "CONTRADICTORY_EVENTS")
    );
}

#[tokio::test]
async fn it_is_held_for_collection_and_then_returned() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, then) = (number(&shipment), world.now());
    let mut held = event(&number, "EMH", then);
    held["action_code"] = json!("HOLD");
    held["held_until"] = json!("2026-12-09");
    world.tell(&[held]).await;
    let standing = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (standing.state(), standing.attempts),
        (ShipmentState::HeldForCollection, 1)
    );
    assert_eq!(standing.held_until.unwrap().day, 9);
    world.pass(TimeDelta::days(18));
    world
        .tell(&[event(&number, "XRS", world.now() - TimeDelta::days(1))])
        .await;
    assert_eq!(
        world.get(&shipment.shipment_id).await.state(),
        ShipmentState::Returning
    );
    world.tell(&[event(&number, "XRD", world.now())]).await;
    let returned = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (returned.state(), returned.held_until),
        (ShipmentState::Returned, None)
    );
}

async fn track(world: &World, typed: &str) -> Result<pb::TrackResponse, tonic::Status> {
    let request = pb::TrackRequest {
        tracking_id: typed.to_owned(),
    };
    Ok(world.tracking().track(request).await?.into_inner())
}

/// Whatever the carrier writes into its fields, nothing of the addressee comes out.
#[tokio::test]
async fn the_public_sees_where_and_when_and_never_who() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, now) = (number(&shipment), world.now());
    let told = |code: &str, place: &str, hour: i64| {
        let mut event = delivered(&number, "Mohamed El Alaoui", now + TimeDelta::hours(hour));
        event["code"] = json!(code);
        event["place"] = json!(place);
        event
    };
    world.pass(TimeDelta::hours(9));
    world
        .tell(&[
            told("EMA", "CASABLANCA MAARIF", 1),
            told("EMG", "chez M. ALAOUI, 12 rue Tarfaya", 2),
            told("EMH", "12 rue Tarfaya", 3),
            told("ZZZ", "12 rue Tarfaya", 4),
            told("EMI", "12 rue Tarfaya", 5),
        ])
        .await;
    let answer = track(&world, &number.to_lowercase()).await.unwrap();
    assert_eq!((answer.state(), answer.attempts), (ShipmentState::Delivered, 1));
    let steps: Vec<_> = answer
        .steps
        .iter()
        .map(|step| (step.state(), step.place.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            (ShipmentState::HandedOver, ""),
            (ShipmentState::HandedOver, "CASABLANCA MAARIF"),
            (ShipmentState::AtDeliveryOffice, ""),
            (ShipmentState::Attempted, ""),
            (ShipmentState::Delivered, ""),
        ]
    );
    let printed = format!("{answer:?}").to_lowercase();
    for personal in [
        "alaoui",
        "mohamed",
        "tarfaya",
        "3456",
        "20250",
        "0600000000",
        "benkirane",
        "العلوي",
    ] {
        assert!(!printed.contains(personal), "{personal}");
    }
}

/// The fields that there are; a new one that could hold a person's data has to be thought about here.
#[test]
fn no_field_of_the_public_answer_is_for_people() {
    use prost::Message;
    let files = prost_types::FileDescriptorSet::decode(wathiq_proto::FILE_DESCRIPTOR_SET)
        .unwrap()
        .file;
    let messages = files
        .iter()
        .filter(|file| file.package() == "wathiq.postal_shipping.v1")
        .flat_map(|file| &file.message_type);
    let mut fields: Vec<String> = messages
        .filter(|message| ["TrackResponse", "TrackedStep"].contains(&message.name()))
        .flat_map(|message| {
            message
                .field
                .iter()
                .map(|field| format!("{}.{}", message.name(), field.name()))
        })
        .collect();
    fields.sort();
    let expected = [
        "TrackResponse.attempts",
        "TrackResponse.held_until",
        "TrackResponse.state",
        "TrackResponse.steps",
        "TrackResponse.tracking_id",
        "TrackedStep.event_time",
        "TrackedStep.place",
        "TrackedStep.state",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_mistyped_number_says_so_and_a_strange_one_is_not_found() {
    let world = World::start().await;
    let wrong = |reason: &str| vec![("tracking_id".to_owned(), reason.to_owned())];
    assert_eq!(
        violations(track(&world, "RR123456784MA").await),
        wrong("CHECK_DIGIT_WRONG")
    );
    assert_eq!(
        violations(track(&world, "12345").await),
        wrong("TRACKING_ID_MALFORMED")
    );
    assert_eq!(
        reason(track(&world, "RR123456785MA").await),
        (Code::NotFound, "SHIPMENT_NOT_FOUND".to_owned())
    );
}
