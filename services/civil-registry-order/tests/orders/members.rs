//! Who is named in a request must be a member of the office.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OTHER, World, line, request_id, violations};

fn at(field: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), "NOT_A_MEMBER".to_owned())]
}

#[tokio::test]
async fn an_agent_names_an_officer_of_the_office_and_nobody_else() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    let elsewhere = world.official_at(OTHER, "officer");
    for stranger in [citizen, elsewhere, world.agent()] {
        let refused = world.produce(agent, stranger, &order.lines[0]).await;
        assert_eq!(violations(refused), at("officer_person_id"));
    }
    let looked_by_a_stranger = pb::RecordProductionRequest {
        request_id: request_id(),
        line_reference: order.lines[0].line_reference.clone(),
        officer_person_id: officer.0.to_string(),
        looked_by_person_id: citizen.0.to_string(),
    };
    let refused = world
        .office()
        .record_production(world.staff(agent, looked_by_a_stranger))
        .await;
    assert_eq!(violations(refused), at("looked_by_person_id"));
    let done = world.produce(agent, officer, &order.lines[0]).await.unwrap();
    assert_eq!(done.entry.unwrap().line.unwrap().state(), pb::LineState::Produced);
}

#[tokio::test]
async fn lines_are_given_to_a_colleague_and_to_nobody_else() {
    let world = World::start().await;
    let (citizen, agent, colleague) = (world.citizen(), world.agent(), world.agent());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let to = |person: uuid::Uuid| pb::AssignLinesRequest {
        request_id: request_id(),
        line_ids: vec![order.lines[0].line_id.clone()],
        person_id: person.to_string(),
    };
    let refused = world
        .office()
        .assign_lines(world.staff(agent, to(citizen.0)))
        .await;
    assert_eq!(violations(refused), at("person_id"));
    let done = world
        .office()
        .assign_lines(world.staff(agent, to(colleague.0)))
        .await
        .unwrap();
    assert_eq!(
        done.into_inner().entries[0].assigned_to_person_id,
        colleague.0.to_string()
    );
}
