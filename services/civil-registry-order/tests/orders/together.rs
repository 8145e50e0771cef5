//! What is ready waits for the other lines of its parcel, and not for ever.

use chrono::TimeDelta;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{World, line, request_id};

#[tokio::test]
async fn what_is_ready_goes_without_the_others_when_they_take_too_long() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    world.pay(&order).await;
    let request = pb::RequestCorrectionRequest {
        request_id: request_id(),
        line_id: order.lines[1].line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    world
        .office()
        .request_correction(world.staff(agent, request))
        .await
        .unwrap();
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let waiting = world.get(citizen, &order).await;
    assert_eq!(waiting.lines[0].progress_code, "WAITING_FOR_OTHER_LINES");
    assert!(
        waiting.lines[0].deadline.is_some(),
        "the citizen reads until when"
    );
    assert_eq!(waiting.parcels.len(), 0);
    world.after(TimeDelta::days(8)).await;
    let going = world.get(citizen, &order).await;
    assert_eq!(going.lines[0].progress_code, "WAITING_FOR_POST");
    assert_eq!(going.parcels[0].line_ids, [order.lines[0].line_id.clone()]);
    assert_eq!(going.lines[1].state(), pb::LineState::ToCorrect);
}
