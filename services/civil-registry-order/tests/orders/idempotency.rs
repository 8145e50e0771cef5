//! A request that comes again under its id is answered again and done once; another one under the same id is refused.

use tonic::Code;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::digitised::digitise;
use crate::evidence::upload;
use crate::harness::{OFFICE, World, line, order_request, reason, request_id};

async fn events(world: &World) -> usize {
    let mut conn = world.database.connect().await;
    wathiq_outbox::testing::events(&mut conn).await.len()
}

/// Sends a request twice, and then another one under its id; gives the answer.
macro_rules! twice {
    ($world:ident . $client:ident () . $method:ident, $as:ident $person:expr, $request:expr, but $other:expr) => {{
        let request = $request;
        let first = $world
            .$client()
            .$method($world.$as($person, request.clone()))
            .await
            .unwrap()
            .into_inner();
        let before = events(&$world).await;
        let again = $world
            .$client()
            .$method($world.$as($person, request.clone()))
            .await
            .unwrap()
            .into_inner();
        assert!(again == first, "{} answers otherwise", stringify!($method));
        assert_eq!(events(&$world).await, before, stringify!($method));
        let mut other = request;
        let change: fn(&mut _) = $other;
        change(&mut other);
        let refused = $world.$client().$method($world.$as($person, other)).await;
        assert_eq!(
            reason(refused),
            (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()),
            stringify!($method)
        );
        first
    }};
}

#[tokio::test]
async fn what_citizens_send_twice_is_done_once() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let id = request_id();
    let evidence = upload(&world, citizen, id.clone()).await;
    assert_eq!(upload(&world, citizen, id).await, evidence);

    let placed = twice!(world.orders().place_order, as_citizen citizen,
        order_request(vec![line("1"), line("2")]),
        but |request: &mut pb::PlaceOrderRequest| request.expected_total_centimes = 1);
    let order = placed.order.unwrap();
    world.pay(&order).await;
    twice!(world.orders().cancel_lines, as_citizen citizen,
        pb::CancelLinesRequest {
            request_id: request_id(),
            order_id: order.order_id.clone(),
            line_ids: vec![order.lines[0].line_id.clone()],
            etag: String::new(),
        },
        but |request: &mut pb::CancelLinesRequest| request.line_ids.clear());
    twice!(world.office().request_correction, staff agent,
        pb::RequestCorrectionRequest {
            request_id: request_id(),
            line_id: order.lines[1].line_id.clone(),
            reason_code: "ACT_NOT_FOUND".to_owned(),
            text: String::new(),
        },
        but |request: &mut pb::RequestCorrectionRequest| request.text = "autre".to_owned());
    twice!(world.orders().correct_line, as_citizen citizen,
        pb::CorrectLineRequest {
            request_id: request_id(),
            order_id: order.order_id.clone(),
            line_id: order.lines[1].line_id.clone(),
            act: line("21").act,
            evidence_ids: Vec::new(),
            etag: String::new(),
        },
        but |request: &mut pb::CorrectLineRequest| request.act = line("22").act);
    world.drive().await;
    let refunds = world.peers.payables.lock().unwrap()[&order.order_id]
        .refunds
        .len();
    assert_eq!(refunds, 1);
}

#[tokio::test]
async fn what_offices_send_twice_on_paper_is_done_once() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    world.pay(&order).await;
    let ids: Vec<String> = order.lines.iter().map(|line| line.line_id.clone()).collect();
    twice!(world.office().assign_lines, staff agent,
        pb::AssignLinesRequest {
            request_id: request_id(),
            line_ids: ids.clone(),
            person_id: agent.0.to_string(),
        },
        but |request: &mut pb::AssignLinesRequest| request.person_id.clear());
    twice!(world.office().check_entitlement, staff agent,
        pb::CheckEntitlementRequest {
            request_id: request_id(),
            line_id: ids[0].clone(),
            note: "livret de famille vu".to_owned(),
        },
        but |request: &mut pb::CheckEntitlementRequest| request.note.clear());
    twice!(world.office().create_batch_sheet, staff agent,
        pb::CreateBatchSheetRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            line_ids: ids.clone(),
        },
        but |request: &mut pb::CreateBatchSheetRequest| request.line_ids.clear());
    twice!(world.office().record_production, staff officer,
    pb::RecordProductionRequest {
        request_id: request_id(),
        line_reference: order.lines[0].line_reference.clone(),
        officer_person_id: officer.0.to_string(),
        looked_by_person_id: String::new(),
    },
    but |request: &mut pb::RecordProductionRequest| {
        request.looked_by_person_id.clone_from(&request.officer_person_id);
    });
    twice!(world.office().refuse_line, staff agent,
        pb::RefuseLineRequest {
            request_id: request_id(),
            line_id: ids[1].clone(),
            reason_code: "ACT_NOT_FOUND".to_owned(),
            text: String::new(),
        },
        but |request: &mut pb::RefuseLineRequest| request.text = "autre".to_owned());
    world.drive().await;
    let parcel = world.get(citizen, &order).await.parcels[0].clone();
    twice!(world.office().hand_over_parcels, staff agent,
        pb::HandOverParcelsRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            tracking_numbers: vec![parcel.tracking_number, "RR999999995MA".to_owned()],
        },
        but |request: &mut pb::HandOverParcelsRequest| request.tracking_numbers.truncate(1));
    assert_eq!(world.peers.shipments.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_officers_send_twice_of_digitised_acts_is_done_once() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12"), line("99")]).await;
    world.pay(&order).await;
    let request = pb::PrepareDocumentsRequest {
        request_id: request_id(),
        line_ids: order.lines.iter().map(|line| line.line_id.clone()).collect(),
    };
    let answer = twice!(world.office().prepare_documents, staff officer, request,
        but |request: &mut pb::PrepareDocumentsRequest| request.line_ids.truncate(1));
    assert_eq!(
        answer.problems[0].reason, "ACT_NOT_DIGITISED",
        "a repeat says again what was not taken"
    );
    world.drive().await;
    assert_eq!(world.peers.documents.lock().unwrap().len(), 1);

    let candidates = pb::GetLineRequest {
        key: Some(pb::get_line_request::Key::LineId(order.lines[0].line_id.clone())),
    };
    let answer = world
        .office()
        .get_line(world.staff(officer, candidates))
        .await
        .unwrap();
    let act_id = answer.into_inner().candidates[0].act_id.clone();
    twice!(world.office().link_act, staff officer,
        pb::LinkActRequest {
            request_id: request_id(),
            line_id: order.lines[1].line_id.clone(),
            act_id,
            ..Default::default()
        },
        but |request: &mut pb::LinkActRequest| request.act_id = request_id());
}
