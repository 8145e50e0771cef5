//! An order from placing to delivery: on paper, digitised, refused and refunded.

use tokio_stream::StreamExt;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{OFFICE, World, line, reason, request_id};

#[tokio::test]
async fn an_order_on_paper_is_paid_produced_posted_and_delivered() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("12"), line("7 bis")]).await;
    assert_eq!(order.state(), pb::OrderState::AwaitingPayment);
    assert_eq!(order.progress_code, "WAITING_FOR_PAYMENT");
    assert!(!order.payable_id.is_empty(), "payment was asked at once");
    assert_eq!(order.total_centimes, 4_000);

    let paid = world.pay(&order).await;
    let order = world.get(citizen, &order).await;
    assert!(order.lines.iter().all(|line| line.state() == pb::LineState::Paid));

    let lines: Vec<&pb::OrderLine> = order.lines.iter().collect();
    let sheet = world.batch_sheet(agent, &lines).await;
    assert_eq!(sheet.number, "2026-000001");
    let request = pb::DownloadBatchSheetRequest {
        batch_sheet_id: sheet.batch_sheet_id,
    };
    let answer = world
        .office()
        .download_batch_sheet(world.staff(agent, request))
        .await
        .unwrap();
    let parts: Vec<_> = answer.into_inner().collect().await;
    let file: Vec<u8> = parts.into_iter().flat_map(|part| part.unwrap().chunk).collect();
    assert!(file.starts_with(b"%PDF-"));

    let first = world.produce(agent, officer, &order.lines[0]).await.unwrap();
    assert!(first.offer_keying);
    assert!(first.parcel.is_none(), "the other line shares the parcel");
    world.produce(agent, officer, &order.lines[1]).await.unwrap();
    let order = world.get(citizen, &order).await;
    let parcel = order.parcels[0].clone();
    assert_eq!(parcel.line_ids.len(), 2);
    assert_eq!(parcel.shipment_state, "LABEL_PRINTED");

    let request = pb::HandOverParcelsRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        tracking_numbers: vec![parcel.tracking_number.to_lowercase(), "RR999999995MA".to_owned()],
    };
    let repeat = request.clone();
    let answer = world
        .office()
        .hand_over_parcels(world.staff(agent, request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.parcels.len(), 1);
    assert_eq!(answer.problems[0].reason, "BARCODE_UNKNOWN");
    assert!(!answer.deposit_list_id.is_empty());
    let again = world
        .office()
        .hand_over_parcels(world.staff(agent, repeat))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.deposit_list_id, answer.deposit_list_id);

    let delivered = world.track(&parcel, 5, ShipmentState::Delivered).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.state(), pb::OrderState::Completed);
    assert_eq!(order.parcels[0].recipient_document_last_four, "3456");
    let expected = [
        "OrderPlaced",
        "OrderPaid",
        "LinesTaken",
        "LineProduced",
        "LineProduced",
        "ParcelReady",
        "LinesHandedOver",
        "LinesDelivered",
    ];
    assert_eq!(world.events(&order).await, expected);
    let told: Vec<&str> = order.history.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(told, expected);
    // What comes twice, under the same id or another, changes nothing.
    for mut record in [paid, delivered] {
        world.deliver(&record).await;
        record.event_id = uuid::Uuid::new_v4();
        world.deliver(&record).await;
    }
    assert_eq!(world.events(&order).await, expected);
}

#[tokio::test]
async fn a_refused_line_is_refunded_and_the_others_go_on() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    assert!(world.get(citizen, &order).await.parcels.is_empty());

    let request = pb::RefuseLineRequest {
        request_id: request_id(),
        line_id: order.lines[1].line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: "Le registre de 1990 ne le contient pas.".to_owned(),
    };
    let refused = world
        .office()
        .refuse_line(world.staff(agent, request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        refused.entry.unwrap().line.unwrap().state(),
        pb::LineState::Refunding
    );
    world.drive().await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.parcels.len(), 1, "what is produced waits for nothing more");
    world.give_back(&order, &order.lines[1]).await;
    let order = world.get(citizen, &order).await;
    let line = &order.lines[1];
    assert_eq!(line.state(), pb::LineState::Refunded);
    assert_eq!(
        (line.refunded_centimes, line.end_reason.as_str()),
        (2_000, "REFUSED")
    );
    assert_eq!(line.answer.as_ref().unwrap().reason_code, "ACT_NOT_FOUND");
}

#[tokio::test]
async fn a_line_that_could_not_be_found_is_corrected() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let ask = pb::RequestCorrectionRequest {
        request_id: request_id(),
        line_id: order.lines[0].line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    world
        .office()
        .request_correction(world.staff(agent, ask))
        .await
        .unwrap();
    let order = world.get(citizen, &order).await;
    assert_eq!(order.state(), pb::OrderState::ActionNeeded);
    let mut act = line("21").act;
    if let Some(act) = &mut act {
        act.year = 1991;
    }
    let request = pb::CorrectLineRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        line_id: order.lines[0].line_id.clone(),
        act,
        evidence_ids: Vec::new(),
        etag: order.etag.clone(),
    };
    let stale = pb::CorrectLineRequest {
        request_id: request_id(),
        etag: "1".to_owned(),
        ..request.clone()
    };
    let refused = world
        .orders()
        .correct_line(world.as_citizen(citizen, stale))
        .await;
    assert_eq!(
        reason(refused),
        (tonic::Code::Aborted, "ORDER_CHANGED".to_owned())
    );
    let corrected = world
        .orders()
        .correct_line(world.as_citizen(citizen, request))
        .await
        .unwrap();
    let order = corrected.into_inner().order.unwrap();
    assert_eq!(order.lines[0].state(), pb::LineState::Paid);
    assert_eq!(order.lines[0].act.as_ref().unwrap().number, "21");
}
