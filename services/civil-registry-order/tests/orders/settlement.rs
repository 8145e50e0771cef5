//! What became of the money: dated facts, whose totals stay.

use chrono::TimeDelta;
use tonic::Code;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{OFFICE, OTHER, World, date, line, request_id};
use crate::post_office::{hand_over, packed};

const INTERIOR: &str = "Ministère de l'Intérieur";

fn span(office: &str, from: i32, to: i32) -> pb::GetSettlementRequest {
    pb::GetSettlementRequest {
        office_id: office.to_owned(),
        from: Some(date(2026, 11, from)),
        to: Some(date(2026, 11, to)),
        issuing_administration: String::new(),
    }
}

async fn answer(world: &World, request: pb::GetSettlementRequest) -> pb::GetSettlementResponse {
    let answer = world.office().get_settlement(world.platform(request)).await;
    answer.unwrap().into_inner()
}

/// State, acts and centimes.
async fn columns(world: &World, request: pb::GetSettlementRequest) -> Vec<(pb::LineState, i32, i64)> {
    let answer = answer(world, request).await;
    let total =
        |total: &pb::SettlementTotal| (total.state(), total.acts, total.total.unwrap().amount_centimes);
    answer.totals.iter().map(total).collect()
}

async fn on(world: &World, office: uuid::Uuid, day: i32) -> Vec<(pb::LineState, i32, i64)> {
    columns(world, span(&office.to_string(), day, day)).await
}

#[tokio::test]
async fn every_step_of_a_paid_act_stands_in_the_settlement_once() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let delivered = packed(&world, citizen, agent).await;
    let returned = packed(&world, citizen, agent).await;
    packed(&world, citizen, agent).await;
    hand_over(&world, agent, &[&delivered]).await;
    let unpaid = world.place(citizen, vec![line("9")]).await;
    let waiting = world.place(citizen, vec![line("10")]).await;
    let paid = world.pay(&waiting).await;
    world.deliver(&paid).await;
    for (order, state) in [
        (&delivered, ShipmentState::Delivered),
        // Nobody said that it was handed over.
        (&returned, ShipmentState::Returned),
    ] {
        let parcel = &world.get(citizen, order).await.parcels[0];
        world.track(parcel, 5, state).await;
    }
    assert_eq!(unpaid.lines[0].state(), pb::LineState::AwaitingPayment);
    let administrator = world.official_at(OFFICE, "administrator");
    let request = span(&OFFICE.to_string(), 23, 23);
    let answer = world
        .office()
        .get_settlement(world.staff(administrator, request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((answer.acts, answer.total.unwrap().amount_centimes), (1, 2_000));
    let expected = [
        (pb::LineState::Delivered, 1, 2_000),
        (pb::LineState::HandedOver, 2, 4_000),
        (pb::LineState::Paid, 4, 8_000),
        (pb::LineState::Produced, 3, 6_000),
        (pb::LineState::Returned, 1, 2_000),
    ];
    assert_eq!(on(&world, OFFICE, 23).await, expected);
}

#[tokio::test]
async fn a_day_that_has_passed_keeps_its_totals() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let produced = packed(&world, citizen, agent).await;
    let order = world.place(citizen, vec![line("21")]).await;
    world.pay(&order).await;
    let moving = world.place(citizen, vec![line("22")]).await;
    world.pay(&moving).await;
    let of_that_day = [
        (pb::LineState::Paid, 3, 6_000),
        (pb::LineState::Produced, 1, 2_000),
    ];
    assert_eq!(on(&world, OFFICE, 23).await, of_that_day);
    world.after(TimeDelta::days(1)).await;
    hand_over(&world, agent, &[&produced]).await;
    let request = pb::CancelLinesRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        ..Default::default()
    };
    world
        .orders()
        .cancel_lines(world.as_citizen(citizen, request))
        .await
        .unwrap();
    world.drive().await;
    world.give_back(&order, &order.lines[0]).await;
    let request = pb::SetRegisterCustodyRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        from_year: 1980,
        to_year: 1999,
        held_by_office_id: OTHER.to_string(),
        valid_from: Some(date(2026, 11, 24)),
    };
    world
        .administration()
        .set_register_custody(world.platform(request))
        .await
        .unwrap();
    assert_eq!(
        world.get(citizen, &moving).await.lines[0].office_id,
        OTHER.to_string()
    );
    assert_eq!(on(&world, OFFICE, 23).await, of_that_day);
    let next_day = [
        (pb::LineState::HandedOver, 1, 2_000),
        (pb::LineState::Paid, -1, -2_000),
        (pb::LineState::Refunded, 1, 2_000),
    ];
    assert_eq!(on(&world, OFFICE, 24).await, next_day);
    assert_eq!(on(&world, OTHER, 24).await, [(pb::LineState::Paid, 1, 2_000)]);
    assert_eq!(on(&world, OTHER, 23).await, []);
}

#[tokio::test]
async fn post_and_tax_are_totalled_over_all_offices_of_an_administration() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut elsewhere = line("31");
    elsewhere.act.as_mut().unwrap().office_id = OTHER.to_string();
    for asked in [line("30"), elsewhere] {
        let order = world.place(citizen, vec![asked]).await;
        world.pay(&order).await;
    }
    let all = |administration: &str| pb::GetSettlementRequest {
        issuing_administration: administration.to_owned(),
        ..span("", 23, 23)
    };
    for administration in ["", INTERIOR] {
        let answer = answer(&world, all(administration)).await;
        let paid = answer.totals[0];
        let price = paid.total.unwrap();
        assert_eq!((paid.state(), paid.acts), (pb::LineState::Paid, 2));
        assert_eq!(
            (price.office_centimes, price.post_centimes, price.tax_centimes),
            (400, 3_000, 600)
        );
    }
    assert_eq!(columns(&world, all("Ministère de la Justice")).await, []);
    let administrator = world.official_at(OFFICE, "administrator");
    let denied = world
        .office()
        .get_settlement(world.staff(administrator, all("")))
        .await;
    assert_eq!(denied.err().unwrap().code(), Code::PermissionDenied);
    let mut conn = world.database.connect().await;
    for statement in [
        "UPDATE settlement_entry SET acts = 2",
        "DELETE FROM settlement_entry",
    ] {
        let refused = sqlx::query(statement).execute(&mut conn).await;
        assert!(refused.is_err(), "{statement}");
    }
}
