//! Opening, withdrawing and handing over.

use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState::{self, Cancelled, HandedOver, LabelPrinted};

use crate::harness::{World, create, delivered, event, number, reason, request_id};

/// The whole way: a range, a number, the post, the carrier's word, the citizen's door.
#[tokio::test]
async fn a_parcel_is_delivered_against_a_document() {
    let world = World::start().await;
    let shipment = world.created("parcel-1").await;
    assert_eq!(
        (shipment.state(), number(&shipment).as_str()),
        (LabelPrinted, "RR000100009MA")
    );
    let list = world.try_hand_over(&[&shipment.shipment_id]).await.unwrap();
    assert_eq!((list.number.as_str(), list.announced), ("2026/000001", false));
    let (number, now) = (number(&shipment), world.now());
    let answer = world
        .tell(&[
            event(&number, "EMA", now),
            event(&number, "EMG", now),
            delivered(&number, "EL ALAOUI Mohamed", now),
        ])
        .await;
    assert_eq!((answer.taken, answer.known_before), (3, 0));
    let delivered = world.get(&shipment.shipment_id).await;
    assert_eq!(delivered.state(), ShipmentState::Delivered);
    assert_eq!(delivered.exception_code, "");
    assert_eq!(delivered.deposit_list_id, list.deposit_list_id);
    let proof = delivered.proof.unwrap();
    assert_eq!(proof.recipient_relation, "ADDRESSEE");
    assert_eq!(proof.document_last_four, "3456");
    let codes: Vec<_> = delivered.events.iter().map(|event| event.code.as_str()).collect();
    assert_eq!(codes, ["EMA", "EMG", "EMI"]);
}

#[tokio::test]
async fn a_shipment_is_found_by_the_owners_reference() {
    let world = World::start().await;
    let created = world.created("parcel-1").await;
    let get = async |reference: &str| {
        let key = pb::get_shipment_request::Key::OwnerReference(reference.to_owned());
        world
            .shipments()
            .get_shipment(pb::GetShipmentRequest { key: Some(key) })
            .await
    };
    let found = get("parcel-1").await.unwrap().into_inner().shipment.unwrap();
    assert!(found == created);
    assert_eq!(
        reason(get("parcel-2").await),
        (Code::NotFound, "SHIPMENT_NOT_FOUND".to_owned())
    );
}

#[tokio::test]
async fn a_repeat_under_the_same_reference_is_the_same_shipment() {
    let world = World::start().await;
    let created = world.created("parcel-1").await;
    assert!(world.created("parcel-1").await == created);
    let other = pb::CreateShipmentRequest {
        sheets: 3,
        ..create("parcel-1")
    };
    let refused = reason(world.try_create(other).await);
    assert_eq!(refused, (Code::AlreadyExists, "OWNER_REFERENCE_TAKEN".to_owned()));
}

#[tokio::test]
async fn what_is_at_the_office_may_be_withdrawn_and_its_number_is_spent() {
    let world = World::start().await;
    let cancel = async |id: &str| {
        let request = pb::CancelShipmentRequest {
            request_id: request_id(),
            shipment_id: id.to_owned(),
        };
        world.shipments().cancel_shipment(request).await
    };
    let first = world.created("parcel-1").await;
    let cancelled = cancel(&first.shipment_id)
        .await
        .unwrap()
        .into_inner()
        .shipment
        .unwrap();
    assert_eq!(cancelled.state(), Cancelled);
    assert_ne!(number(&world.created("parcel-2").await), number(&first));
    let state = (Code::FailedPrecondition, "SHIPMENT_STATE".to_owned());
    assert_eq!(reason(cancel(&first.shipment_id).await), state);
    assert_eq!(reason(world.try_hand_over(&[&first.shipment_id]).await), state);
    let gone = world.handed_over("parcel-3").await;
    assert_eq!(reason(cancel(&gone.shipment_id).await), state);
    let unknown = cancel(&Uuid::new_v4().to_string()).await;
    assert_eq!(reason(unknown), (Code::NotFound, "SHIPMENT_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn all_are_handed_over_or_none() {
    let world = World::start().await;
    let (first, second) = (world.created("parcel-1").await, world.created("parcel-2").await);
    let elsewhere = pb::CreateShipmentRequest {
        office_id: Uuid::new_v4().to_string(),
        ..create("parcel-3")
    };
    let elsewhere = world.try_create(elsewhere).await.unwrap();
    let unknown = Uuid::new_v4().to_string();
    for stranger in [&elsewhere.shipment_id, &unknown] {
        let refused = reason(world.try_hand_over(&[&first.shipment_id, stranger]).await);
        assert_eq!(refused, (Code::NotFound, "SHIPMENT_NOT_FOUND".to_owned()));
    }
    assert_eq!(world.get(&first.shipment_id).await.state(), LabelPrinted);
    world.try_hand_over(&[&first.shipment_id]).await.unwrap();
    let refused = reason(
        world
            .try_hand_over(&[&second.shipment_id, &first.shipment_id])
            .await,
    );
    assert_eq!(refused, (Code::FailedPrecondition, "SHIPMENT_STATE".to_owned()));
    assert_eq!(world.get(&second.shipment_id).await.state(), LabelPrinted);
    // No refusal took a number of the year's lists.
    let list = world.try_hand_over(&[&second.shipment_id]).await.unwrap();
    assert_eq!(list.number, "2026/000002");
    assert_eq!(world.get(&second.shipment_id).await.state(), HandedOver);
}

#[tokio::test]
async fn an_owner_lists_its_shipments_page_by_page() {
    let world = World::start().await;
    for reference in ["a", "b", "c"] {
        world.created(reference).await;
        world.pass(chrono::TimeDelta::seconds(1));
    }
    let list = async |page_token: String, created_before| {
        let request = pb::ListShipmentsRequest {
            page_size: 2,
            page_token,
            created_from: None,
            created_before,
        };
        world
            .shipments()
            .list_shipments(request)
            .await
            .unwrap()
            .into_inner()
    };
    let references = |page: &pb::ListShipmentsResponse| {
        page.shipments
            .iter()
            .map(|shipment| shipment.owner_reference.clone())
            .collect::<Vec<_>>()
    };
    let first = list(String::new(), None).await;
    assert_eq!(references(&first), ["a", "b"]);
    let last = list(first.next_page_token, None).await;
    assert_eq!(
        (references(&last), last.next_page_token.as_str()),
        (vec!["c".to_owned()], "")
    );
    let before = prost_types::Timestamp {
        seconds: world.now().timestamp() - 2,
        nanos: 0,
    };
    assert_eq!(references(&list(String::new(), Some(before)).await), ["a"]);
}
