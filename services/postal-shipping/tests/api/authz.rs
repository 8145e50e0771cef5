//! Every method is refused to whoever may not call it. The cases come from the rules, which name every method of the contract.

use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, with_token};
use wathiq_chassis::{Surface, TokenClaims, UserRule};
use wathiq_postal_shipping::grpc::rules::RULES;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShippingProduct::RegisteredDomestic;

use crate::harness::{OFFICE, World, number, reason, request_id};

const PEERS: [&str; 6] = [
    "gateway",
    "civil-registry-order",
    "payment",
    "signature",
    "notification",
    "postal-shipping",
];

/// Calls a method with an empty message, whatever its own message is.
async fn call(channel: Channel, path: &'static str, request: Request<()>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = ProstCodec::<(), ()>::default();
    client
        .unary(request, PathAndQuery::from_static(path), codec)
        .await
        .map(|_| ())
}

#[tokio::test]
async fn no_method_answers_a_service_that_is_not_listed() {
    let world = World::empty().await;
    for rule in RULES {
        for peer in PEERS {
            let answer = call(world.channel(peer), rule.path, Request::new(())).await;
            let refused = answer.is_err() && reason(answer).1 == "CLIENT_NOT_ALLOWED";
            assert_eq!(refused, !rule.clients.contains(&peer), "{} by {peer}", rule.path);
        }
    }
}

#[tokio::test]
async fn no_method_of_a_person_answers_without_a_good_token() {
    let world = World::empty().await;
    let old = testing::token(&world.staff(OFFICE, "agent"));
    world.pass(chrono::TimeDelta::minutes(11));
    for rule in RULES.iter().filter(|rule| rule.user == UserRule::Required) {
        let ask = async |request| reason(call(world.channel("gateway"), rule.path, request).await);
        let refused = |reason: &str| (Code::Unauthenticated, reason.to_owned());
        assert_eq!(
            ask(Request::new(())).await,
            refused("TOKEN_MISSING"),
            "{}",
            rule.path
        );
        assert_eq!(
            ask(with_token((), "x")).await,
            refused("TOKEN_INVALID"),
            "{}",
            rule.path
        );
        assert_eq!(
            ask(with_token((), &old)).await,
            refused("TOKEN_EXPIRED"),
            "{}",
            rule.path
        );
    }
}

/// Every method of people with a request that is right, and what it answers under these claims.
async fn ask_all(
    world: &World,
    claims: &TokenClaims,
    shipment: &pb::Shipment,
) -> Vec<(&'static str, String)> {
    let token = testing::token(claims);
    let (mut office, mut ranges) = (world.office(), world.ranges());
    let mut answers = Vec::new();
    macro_rules! ask {
        ($client:ident.$method:ident($request:expr)) => {
            let answer = $client.$method(with_token($request, &token)).await;
            let reason = answer.map_or_else(|status| reason::<()>(Err(status)).1, |_| "OK".to_owned());
            answers.push((stringify!($method), reason));
        };
    }
    let id = shipment.shipment_id.clone();
    let note = "Aucune nouvelle depuis une semaine.".to_owned();
    let office_id = OFFICE.to_string();
    ask!(office.download_labels(pb::DownloadLabelsRequest {
        office_id: office_id.clone(),
        shipment_ids: vec![id.clone()]
    }));
    ask!(office.download_deposit_list(pb::DownloadDepositListRequest {
        deposit_list_id: shipment.deposit_list_id.clone(),
        form: pb::DepositListForm::Csv.into()
    }));
    ask!(office.list_deposit_lists(pb::ListDepositListsRequest {
        office_id: office_id.clone(),
        ..Default::default()
    }));
    ask!(office.list_office_shipments(pb::ListOfficeShipmentsRequest {
        office_id,
        ..Default::default()
    }));
    ask!(office.record_scan(pb::RecordScanRequest {
        request_id: request_id(),
        tracking_id: number(shipment),
        event: Some(pb::CarrierEvent {
            code: "EMC".to_owned(),
            event_time: Some(prost_types::Timestamp {
                seconds: world.now().timestamp(),
                nanos: 0
            }),
            ..Default::default()
        }),
    }));
    ask!(office.open_claim(pb::OpenClaimRequest {
        request_id: request_id(),
        shipment_id: id.clone(),
        note: note.clone()
    }));
    ask!(office.settle_claim(pb::SettleClaimRequest {
        request_id: request_id(),
        shipment_id: id,
        lost: false,
        note
    }));
    ask!(ranges.allocate_range(pb::AllocateRangeRequest {
        request_id: request_id(),
        service_indicator: "RT".to_owned(),
        country_code: "MA".to_owned(),
        first: 1,
        last: 9,
        product: RegisteredDomestic.into(),
    }));
    ask!(ranges.list_ranges(pb::ListRangesRequest::default()));
    answers
}

#[tokio::test]
async fn people_do_what_their_role_at_their_office_lets_them() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let here = [
        ("download_labels", "OK"),
        ("download_deposit_list", "OK"),
        ("list_deposit_lists", "OK"),
        ("list_office_shipments", "OK"),
        ("record_scan", "OK"),
        ("open_claim", "CLAIM_NOT_DUE"),
        ("settle_claim", "SHIPMENT_STATE"),
        ("allocate_range", "ROLE_REQUIRED"),
        ("list_ranges", "ROLE_REQUIRED"),
    ];
    let elsewhere = here.map(|(method, _)| {
        let reason = match method {
            "download_labels" | "list_deposit_lists" | "list_office_shipments" => "OFFICE_NOT_FOUND",
            "download_deposit_list" => "DEPOSIT_LIST_NOT_FOUND",
            "allocate_range" | "list_ranges" => "ROLE_REQUIRED",
            _ => "SHIPMENT_NOT_FOUND",
        };
        (method, reason)
    });
    let administrator = elsewhere.map(|(method, reason)| match method {
        "allocate_range" | "list_ranges" => (method, "OK"),
        _ => (method, reason),
    });
    let owned =
        |expected: [(&'static str, &str); 9]| expected.map(|(method, reason)| (method, reason.to_owned()));
    let agent = world.staff(OFFICE, "agent");
    assert_eq!(ask_all(&world, &agent, &shipment).await, owned(here));
    let officer = world.staff(OFFICE, "officer");
    assert_eq!(ask_all(&world, &officer, &shipment).await, owned(here));
    let other_role = world.staff(OFFICE, "administrator");
    assert_eq!(ask_all(&world, &other_role, &shipment).await, owned(elsewhere));
    let other_office = world.staff(Uuid::new_v4(), "agent");
    assert_eq!(ask_all(&world, &other_office, &shipment).await, owned(elsewhere));
    let root = TokenClaims {
        padm: true,
        grants: Vec::new(),
        ..agent.clone()
    };
    assert_eq!(ask_all(&world, &root, &shipment).await, owned(administrator));
    // Even with every right, in a session of a citizen.
    let citizen = TokenClaims {
        padm: true,
        surface: Surface::Citizen,
        ..agent
    };
    for (method, reason) in ask_all(&world, &citizen, &shipment).await {
        assert_eq!(reason, "WRONG_SURFACE", "{method}");
    }
}

#[tokio::test]
async fn every_method_of_people_is_asked_above() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let asked: std::collections::BTreeSet<String> = ask_all(&world, &world.staff(OFFICE, "agent"), &shipment)
        .await
        .into_iter()
        .map(|(method, _)| method.replace('_', ""))
        .collect();
    let wanted: std::collections::BTreeSet<String> = RULES
        .iter()
        .filter(|rule| rule.user == UserRule::Required)
        .map(|rule| rule.path.rsplit('/').next().unwrap().to_lowercase())
        .collect();
    assert_eq!(asked, wanted);
}

/// A service finds nothing of another service's, were there a second owner.
#[tokio::test]
async fn another_owners_shipment_is_not_found() {
    let world = World::start().await;
    let shipment = world.created("parcel-1").await;
    let mut owner = world.database.connect_as_owner().await;
    sqlx::query("UPDATE shipment SET owner = 'another'")
        .execute(&mut owner)
        .await
        .unwrap();
    let missing = (Code::NotFound, "SHIPMENT_NOT_FOUND".to_owned());
    let id = &shipment.shipment_id;
    let key = pb::get_shipment_request::Key::ShipmentId(id.clone());
    let get = world
        .shipments()
        .get_shipment(pb::GetShipmentRequest { key: Some(key) })
        .await;
    assert_eq!(reason(get), missing);
    let cancel = pb::CancelShipmentRequest {
        request_id: request_id(),
        shipment_id: id.clone(),
    };
    assert_eq!(reason(world.shipments().cancel_shipment(cancel).await), missing);
    assert_eq!(reason(world.try_hand_over(&[id]).await), missing);
    let list = world
        .shipments()
        .list_shipments(pb::ListShipmentsRequest::default())
        .await
        .unwrap();
    assert!(list.into_inner().shipments.is_empty());
}
