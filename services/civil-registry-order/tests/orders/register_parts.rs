//! A year's register may have parts, of which whoever orders seldom knows.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::digitised::{act_to_key, digitise_in, key_twice, prepare};
use crate::harness::{Person, World, line};

async fn candidates(world: &World, agent: Person, line: &pb::OrderLine) -> Vec<String> {
    let request = pb::GetLineRequest {
        key: Some(pb::get_line_request::Key::LineId(line.line_id.clone())),
    };
    let answer = world.office().get_line(world.staff(agent, request)).await;
    let found = answer.unwrap().into_inner().candidates;
    found.into_iter().map(|act| act.key.unwrap().part).collect()
}

#[tokio::test]
async fn without_a_part_the_only_act_is_meant_and_of_several_the_office_chooses() {
    let world = World::start().await;
    for (part, number) in [("2", "7"), ("1", "8"), ("2", "8")] {
        digitise_in(&world, part, number).await;
    }
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("7"), line("8")]).await;
    world.pay(&order).await;
    let (only, several) = (&order.lines[0], &order.lines[1]);
    assert_eq!(only.entitlement_proof(), pb::EntitlementProof::Acts);
    assert_eq!(several.entitlement_proof(), pb::EntitlementProof::Declared);

    let answer = prepare(&world, officer, only).await;
    assert_eq!(answer.problems, []);
    let answer = prepare(&world, officer, several).await;
    assert_eq!(answer.problems[0].reason, "ACT_TO_CHOOSE");
    // The last one has another number; it is found by the person.
    assert_eq!(candidates(&world, officer, several).await, ["1", "2", "2"]);
}

#[tokio::test]
async fn a_part_that_is_wrong_hides_nothing_and_the_right_one_comes_first() {
    let world = World::start().await;
    digitise_in(&world, "1", "8").await;
    digitise_in(&world, "2", "8").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let of_part = |part: &str| {
        let mut asked = line("8");
        asked.act.as_mut().unwrap().part = part.to_owned();
        asked
    };
    let order = world.place(citizen, vec![of_part("9"), of_part("2")]).await;
    world.pay(&order).await;
    assert_eq!(candidates(&world, officer, &order.lines[0]).await, ["1", "2"]);
    assert_eq!(candidates(&world, officer, &order.lines[1]).await, ["2", "1"]);
    let answer = prepare(&world, officer, &order.lines[0]).await;
    assert_eq!(answer.problems[0].reason, "ACT_TO_CHOOSE");
    let answer = prepare(&world, officer, &order.lines[1]).await;
    assert_eq!(answer.problems, []);
}

#[tokio::test]
async fn an_act_in_arabic_alone_is_offered_where_the_name_is_given_in_both_scripts() {
    let world = World::start().await;
    let mut act = act_to_key("3", "77");
    let content = act.content.as_mut().unwrap();
    for name in [&mut content.given_name, &mut content.family_name] {
        name.as_mut().unwrap().latin.clear();
    }
    key_twice(&world, &act).await;
    let (citizen, officer) = (world.citizen(), world.officer());
    // The number is remembered wrongly.
    let mut asked = line("7");
    let person = asked.act.as_mut().unwrap().person.as_mut().unwrap();
    "أمينة".clone_into(&mut person.given_arabic);
    "الإدريسي".clone_into(&mut person.family_arabic);
    let order = world.place(citizen, vec![asked]).await;
    world.pay(&order).await;
    assert_eq!(candidates(&world, officer, &order.lines[0]).await, ["3"]);
}
