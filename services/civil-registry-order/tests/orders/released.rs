//! A line on paper goes back to the queue, and a sheet that is printed again says what it is for now.

use tonic::Code;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, Person, World, date, line, reason, request_id};
use crate::sheet::references;

async fn release(world: &World, staff: Person, line: &pb::OrderLine) -> Result<pb::OrderLine, tonic::Status> {
    let request = pb::ReleaseLineRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
    };
    let answer = world.office().release_line(world.staff(staff, request)).await?;
    Ok(answer.into_inner().entry.unwrap().line.unwrap())
}

#[tokio::test]
async fn a_line_that_was_taken_by_mistake_waits_again() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let refused = release(&world, agent, &order.lines[0]).await;
    assert_eq!(
        reason(refused),
        (Code::FailedPrecondition, "LINE_STATE".to_owned())
    );
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    let back = release(&world, agent, &order.lines[0]).await.unwrap();
    assert_eq!(back.state(), pb::LineState::Paid);
    assert_eq!(world.events(&order).await.last().unwrap(), "LineReleased");
    world.batch_sheet(agent, &[&order.lines[0]]).await;
}

#[tokio::test]
async fn a_line_whose_register_moved_while_it_was_on_paper_follows_it_once_it_is_given_back() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    let request = pb::SetRegisterCustodyRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        held_by_office_id: OTHER.to_string(),
        valid_from: Some(date(2026, 11, 23)),
        ..Default::default()
    };
    let mut administration = world.administration();
    administration
        .set_register_custody(world.platform(request))
        .await
        .unwrap();
    assert_eq!(
        world.get(citizen, &order).await.lines[0].office_id,
        OFFICE.to_string()
    );
    let back = release(&world, agent, &order.lines[0]).await.unwrap();
    assert_eq!(
        (back.state(), back.office_id),
        (pb::LineState::Paid, OTHER.to_string())
    );
}

#[tokio::test]
async fn a_sheet_that_is_printed_again_leaves_out_what_has_ended_or_left() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world
        .place(citizen, vec![line("1"), line("2"), line("3"), line("4")])
        .await;
    world.pay(&order).await;
    let lines: Vec<&pb::OrderLine> = order.lines.iter().collect();
    let [made, refused, left, waits] = lines[..] else {
        panic!("four lines")
    };
    let sheet = world.batch_sheet(agent, &lines).await;
    world.produce(agent, officer, made).await.unwrap();
    let refusal = pb::RefuseLineRequest {
        request_id: request_id(),
        line_id: refused.line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    world
        .office()
        .refuse_line(world.staff(agent, refusal))
        .await
        .unwrap();
    release(&world, agent, left).await.unwrap();
    let of = |lines: &[&pb::OrderLine]| {
        lines
            .iter()
            .map(|line| line.line_reference.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        references(&world, agent, &sheet, &order).await,
        of(&[made, waits])
    );
    // Taken anew it stands on its new sheet, and not on both.
    world.clock.advance(chrono::TimeDelta::minutes(1));
    let newer = world.batch_sheet(agent, &[left]).await;
    assert_eq!(references(&world, agent, &newer, &order).await, of(&[left]));
    assert_eq!(
        references(&world, agent, &sheet, &order).await,
        of(&[made, waits])
    );
}
