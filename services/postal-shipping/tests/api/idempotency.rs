//! Every command asked twice under one request id is done once and answered the same; under another content it is refused.

use chrono::TimeDelta;
use tonic::Code;
use wathiq_outbox::testing::drain;
use wathiq_postal_shipping::app::watch_silence::watch_silence;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShippingProduct::RegisteredDomestic;

use crate::harness::{World, create, number, reason, request_id};

/// Asks twice, then with a changed message; the second time nothing is emitted.
macro_rules! check {
    ($world:ident, $message:expr, $change:expr, |$request:ident| $call:expr) => {{
        let message = $message;
        let $request = message.clone();
        let first = $call.await.unwrap().into_inner();
        drain(&mut $world.database.connect().await).await;
        let $request = message.clone();
        let again = $call.await.unwrap().into_inner();
        assert!(again == first, "{}", stringify!($call));
        assert!(
            drain(&mut $world.database.connect().await).await.is_empty(),
            "{}",
            stringify!($call)
        );
        let mut changed = message;
        $change(&mut changed);
        let $request = changed;
        let refused = (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned());
        assert_eq!(reason($call.await), refused, "{}", stringify!($call));
        first
    }};
}

#[tokio::test]
async fn commands_of_owners() {
    let world = World::start().await;
    let mut client = world.shipments();
    let created = check!(
        world,
        create("parcel-1"),
        |request: &mut pb::CreateShipmentRequest| request.sheets = 9,
        |request| { client.create_shipment(request) }
    );
    let id = created.shipment.unwrap().shipment_id;
    let other = world.created("parcel-2").await.shipment_id;
    let handing = pb::HandOverRequest {
        request_id: request_id(),
        office_id: crate::harness::OFFICE.to_string(),
        shipment_ids: vec![id],
        person_id: String::new(),
    };
    check!(
        world,
        handing,
        |request: &mut pb::HandOverRequest| request.shipment_ids = vec![other.clone()],
        |request| { client.hand_over(request) }
    );
    let third = world.created("parcel-3").await.shipment_id;
    let withdrawing = pb::CancelShipmentRequest {
        request_id: request_id(),
        shipment_id: other,
    };
    check!(
        world,
        withdrawing,
        |request: &mut pb::CancelShipmentRequest| request.shipment_id = third.clone(),
        |request| { client.cancel_shipment(request) }
    );
}

#[tokio::test]
async fn commands_of_people() {
    let world = World::start().await;
    let (mut office, mut ranges) = (world.office(), world.ranges());
    let allocation = pb::AllocateRangeRequest {
        request_id: request_id(),
        service_indicator: "RZ".to_owned(),
        country_code: "MA".to_owned(),
        first: 1,
        last: 9,
        product: RegisteredDomestic.into(),
    };
    check!(
        world,
        allocation,
        |request: &mut pb::AllocateRangeRequest| request.last = 8,
        |request| { ranges.allocate_range(world.by_administrator(request)) }
    );
    let shipment = world.handed_over("parcel-1").await;
    let scan = pb::RecordScanRequest {
        request_id: request_id(),
        tracking_id: number(&shipment),
        event: Some(pb::CarrierEvent {
            code: "EMG".to_owned(),
            event_time: Some(prost_types::Timestamp {
                seconds: world.now().timestamp(),
                nanos: 0,
            }),
            ..Default::default()
        }),
    };
    check!(
        world,
        scan,
        |request: &mut pb::RecordScanRequest| request.event.as_mut().unwrap().code = "EMH".to_owned(),
        |request| { office.record_scan(world.by_agent(request)) }
    );
    world.pass(TimeDelta::days(8));
    watch_silence(&world.app).await.unwrap();
    let note = "Aucune nouvelle depuis une semaine.".to_owned();
    let open = pb::OpenClaimRequest {
        request_id: request_id(),
        shipment_id: shipment.shipment_id.clone(),
        note: note.clone(),
    };
    check!(
        world,
        open,
        |request: &mut pb::OpenClaimRequest| request.note.push('!'),
        |request| { office.open_claim(world.by_agent(request)) }
    );
    let settle = pb::SettleClaimRequest {
        request_id: request_id(),
        shipment_id: shipment.shipment_id,
        lost: true,
        note,
    };
    check!(
        world,
        settle,
        |request: &mut pb::SettleClaimRequest| request.lost = false,
        |request| { office.settle_claim(world.by_agent(request)) }
    );
}
