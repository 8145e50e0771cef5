//! Requests that are wrong: every fault is named, with its remedy.

use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::harness::{World, create, request_id, violations};

fn fields(found: Vec<(String, String)>) -> Vec<String> {
    found
        .into_iter()
        .map(|(field, reason)| format!("{field} {reason}"))
        .collect()
}

#[tokio::test]
async fn an_empty_shipment_names_everything_it_lacks() {
    let world = World::start().await;
    let found = violations(world.try_create(pb::CreateShipmentRequest::default()).await);
    let expected = [
        "request_id REQUIRED",
        "owner_reference REQUIRED",
        "office_id REQUIRED",
        "sender REQUIRED",
        "addressee REQUIRED",
        "product REQUIRED",
        "sheets OUT_OF_RANGE",
    ];
    assert_eq!(fields(found), expected);
}

#[tokio::test]
async fn an_address_is_checked_with_its_path() {
    let world = World::start().await;
    let mut request = create("parcel-1");
    request.product = pb::ShippingProduct::RegisteredInternational.into();
    request.mandataries.push(pb::PartyName::default());
    let sender = request.sender.as_mut().unwrap();
    sender.phone = "0600".to_owned();
    sender.address.as_mut().unwrap().postal_code = "2025".to_owned();
    let addressee = request.addressee.as_mut().unwrap();
    addressee.name.as_mut().unwrap().latin = "Mohamed\u{202e}".to_owned();
    let found = violations(world.try_create(request.clone()).await);
    let expected = [
        "sender.address.postal_code POSTAL_CODE",
        "sender.phone PHONE",
        "addressee.name.latin UNPRINTABLE",
        "mandataries[1] REQUIRED",
    ];
    assert_eq!(fields(found), expected);
    let home = pb::CreateShipmentRequest {
        product: request.product,
        ..create("parcel-1")
    };
    assert_eq!(
        fields(violations(world.try_create(home).await)),
        ["product PRODUCT_DESTINATION"]
    );
    let many = pb::CreateShipmentRequest {
        mandataries: vec![create("x").mandataries.remove(0); 6],
        ..create("parcel-1")
    };
    assert_eq!(
        fields(violations(world.try_create(many).await)),
        ["mandataries OUT_OF_RANGE"]
    );
    let long = pb::CreateShipmentRequest {
        owner_reference: "x".repeat(65),
        ..create("parcel-1")
    };
    assert_eq!(
        fields(violations(world.try_create(long).await)),
        ["owner_reference LENGTH"]
    );
}

#[tokio::test]
async fn batches_have_their_sizes() {
    let world = World::start().await;
    let id = request_id();
    let hand_over = async |ids: Vec<String>| {
        let request = pb::HandOverRequest {
            request_id: request_id(),
            office_id: id.clone(),
            shipment_ids: ids,
            person_id: "x".to_owned(),
        };
        fields(violations(world.shipments().hand_over(request).await))
    };
    assert_eq!(
        hand_over(Vec::new()).await,
        ["shipment_ids OUT_OF_RANGE", "person_id MALFORMED"]
    );
    assert_eq!(
        hand_over(vec![id.clone(); 501]).await[0],
        "shipment_ids OUT_OF_RANGE"
    );
    assert_eq!(
        hand_over(vec![id.clone(), "x".to_owned(), id.clone()]).await[..2],
        ["shipment_ids[1] MALFORMED", "shipment_ids[2] TWICE"]
    );
    let labels = pb::DownloadLabelsRequest {
        office_id: id.clone(),
        shipment_ids: vec![id.clone(); 201],
    };
    let found = violations(world.office().download_labels(world.by_agent(labels)).await);
    assert_eq!(fields(found), ["shipment_ids OUT_OF_RANGE"]);
}

#[tokio::test]
async fn a_scan_and_a_claim_are_checked() {
    let world = World::start().await;
    let scan = pb::RecordScanRequest {
        request_id: request_id(),
        tracking_id: "RR123456784MA".to_owned(),
        event: None,
    };
    let found = violations(world.office().record_scan(world.by_agent(scan)).await);
    assert_eq!(
        fields(found),
        [
            "tracking_id CHECK_DIGIT_WRONG",
            "event.code REQUIRED",
            "event.event_time REQUIRED"
        ]
    );
    let claim = pb::OpenClaimRequest {
        request_id: request_id(),
        shipment_id: request_id(),
        note: "short".to_owned(),
    };
    let found = violations(world.office().open_claim(world.by_agent(claim)).await);
    assert_eq!(fields(found), ["note LENGTH"]);
    let list = pb::DownloadDepositListRequest {
        deposit_list_id: "x".to_owned(),
        form: 0,
    };
    let found = violations(world.office().download_deposit_list(world.by_agent(list)).await);
    assert_eq!(fields(found), ["deposit_list_id MALFORMED", "form REQUIRED"]);
    let shipments = pb::ListOfficeShipmentsRequest {
        office_id: request_id(),
        states: vec![0, 99],
        page_size: -1,
        page_token: "!".to_owned(),
        exceptions_only: false,
    };
    let found = violations(
        world
            .office()
            .list_office_shipments(world.by_agent(shipments))
            .await,
    );
    assert_eq!(
        fields(found),
        [
            "states UNKNOWN_WORD",
            "page_size OUT_OF_RANGE",
            "page_token MALFORMED"
        ]
    );
}
