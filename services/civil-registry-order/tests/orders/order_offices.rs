//! The offices whose registers can be ordered from: open ones with a profile, and those whose registers such a one holds.

use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{
    CLOSED, OFFICE, OTHER, Person, World, date, line, order_request, request_id, violations,
};

/// Id and holders of each office that is offered, page by page.
async fn offered(world: &World) -> Vec<(String, Vec<String>)> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListOrderOfficesRequest {
            page_size: 1,
            page_token,
            ..Default::default()
        };
        let page = world
            .orders()
            .list_order_offices(request)
            .await
            .unwrap()
            .into_inner();
        assert!(page.offices.len() <= 1);
        found.extend(page.offices);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    found
        .into_iter()
        .map(|office| (office.office_id, office.holder_office_ids))
        .collect()
}

fn pairs(expected: &[(Uuid, &[Uuid])]) -> Vec<(String, Vec<String>)> {
    let text = |ids: &[Uuid]| ids.iter().map(Uuid::to_string).collect();
    expected
        .iter()
        .map(|(id, holders)| (id.to_string(), text(holders)))
        .collect()
}

async fn give(world: &World, from: Uuid, to: Uuid, years: (i32, i32)) {
    for kind in [pb::RegisterKind::Birth, pb::RegisterKind::Death] {
        let request = pb::SetRegisterCustodyRequest {
            request_id: request_id(),
            office_id: from.to_string(),
            kind: kind.into(),
            from_year: years.0,
            to_year: years.1,
            held_by_office_id: to.to_string(),
            valid_from: Some(date(2026, 11, 23)),
        };
        let mut administration = world.administration();
        administration
            .set_register_custody(world.platform(request))
            .await
            .unwrap();
    }
}

async fn exceptions(world: &World, office: Uuid, agent: Person) -> Vec<String> {
    let request = pb::ListExceptionsRequest {
        office_id: office.to_string(),
        ..Default::default()
    };
    let answer = world.office().list_exceptions(world.staff(agent, request)).await;
    let entries = answer.unwrap().into_inner().entries;
    entries.into_iter().map(|entry| entry.code).collect()
}

#[tokio::test]
async fn a_closed_office_is_offered_where_an_open_one_holds_its_registers_and_the_other_way_round_not() {
    let world = World::start().await;
    assert_eq!(
        offered(&world).await,
        pairs(&[(OFFICE, &[OFFICE]), (OTHER, &[OTHER])])
    );
    // A commune was merged.
    give(&world, CLOSED, OTHER, (0, 0)).await;
    assert_eq!(
        offered(&world).await,
        pairs(&[(OFFICE, &[OFFICE]), (OTHER, &[OTHER]), (CLOSED, &[OTHER])])
    );
    // Another was split: each has some of its registers.
    give(&world, OFFICE, OTHER, (1970, 1979)).await;
    assert_eq!(offered(&world).await[0], pairs(&[(OFFICE, &[OFFICE, OTHER])])[0]);
}

#[tokio::test]
async fn an_office_whose_registers_lie_at_a_closed_one_is_not_offered() {
    let world = World::start().await;
    give(&world, OTHER, CLOSED, (0, 0)).await;
    assert_eq!(offered(&world).await, pairs(&[(OFFICE, &[OFFICE])]));
}

#[tokio::test]
async fn an_office_without_a_profile_takes_no_orders() {
    let world = World::without_profile().await;
    assert_eq!(offered(&world).await, pairs(&[]));
    let citizen = world.citizen();
    let request = || order_request(vec![line("1")]);
    let refused = world
        .orders()
        .place_order(world.as_citizen(citizen, request()))
        .await;
    let expected = ("lines[0].act.office_id".to_owned(), "OFFICE_NOT_OPEN".to_owned());
    assert_eq!(violations(refused), [expected]);
    world.give_profile(OFFICE).await;
    assert_eq!(offered(&world).await, pairs(&[(OFFICE, &[OFFICE])]));
    world
        .orders()
        .place_order(world.as_citizen(citizen, request()))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_moves_to_an_office_without_a_profile_stands_on_its_list() {
    let world = World::without_profile().await;
    world.give_profile(OFFICE).await;
    let (citizen, there) = (world.citizen(), world.official_at(OTHER, "agent"));
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    give(&world, OFFICE, OTHER, (0, 0)).await;
    let moved = world.get(citizen, &order).await;
    assert_eq!(moved.lines[0].office_id, OTHER.to_string());
    assert_eq!(exceptions(&world, OTHER, there).await, ["OFFICE_PROFILE_MISSING"]);
    world.give_profile(OTHER).await;
    assert_eq!(exceptions(&world, OTHER, there).await, Vec::<String>::new());
}
