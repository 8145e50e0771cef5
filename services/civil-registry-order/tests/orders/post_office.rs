//! What an office gives to the post, and what it is told needs a person.

use serde_json::Value;
use sqlx::AssertSqlSafe;
use wathiq_civil_registry_order::store::orders::OVERDUE;
use wathiq_civil_registry_order::store::queue::{EXCEPTIONS, open_parcels, waiting_parcels};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{OFFICE, Person, World, line, request_id};

/// An order of one line that is packed.
pub(crate) async fn packed(world: &World, citizen: Person, agent: Person) -> pb::Order {
    let officer = world.officer();
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    world.get(citizen, &order).await
}

pub(crate) async fn hand_over(
    world: &World,
    agent: Person,
    orders: &[&pb::Order],
) -> pb::HandOverParcelsResponse {
    let request = pb::HandOverParcelsRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        tracking_numbers: orders
            .iter()
            .map(|order| order.parcels[0].tracking_number.clone())
            .collect(),
    };
    let answer = world
        .office()
        .hand_over_parcels(world.staff(agent, request))
        .await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn a_parcel_that_the_post_does_not_take_is_named_and_the_others_go() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let good = packed(&world, citizen, agent).await;
    let bad = packed(&world, citizen, agent).await;
    {
        let mut shipments = world.peers.shipments.lock().unwrap();
        let shipment = shipments.get_mut(&bad.parcels[0].parcel_id).unwrap();
        shipment.set_state(ShipmentState::Cancelled);
    }
    let answer = hand_over(&world, agent, &[&good, &bad]).await;
    let taken: Vec<&str> = answer
        .parcels
        .iter()
        .map(|parcel| parcel.parcel_id.as_str())
        .collect();
    assert_eq!(taken, [good.parcels[0].parcel_id.as_str()]);
    assert!(!answer.deposit_list_id.is_empty());
    let problem = &answer.problems[0];
    assert_eq!(
        (problem.tracking_number.as_str(), problem.reason.as_str()),
        (bad.parcels[0].tracking_number.as_str(), "PARCEL_WITHDRAWN")
    );
    let state = world.get(citizen, &good).await.lines[0].state();
    assert_eq!(state, pb::LineState::HandedOver);
    let state = world.get(citizen, &bad).await.lines[0].state();
    assert_eq!(state, pb::LineState::Produced);
    // Alone it is refused as well, and nothing is left to ask.
    let answer = hand_over(&world, agent, &[&bad]).await;
    assert_eq!((answer.parcels.len(), answer.problems.len()), (0, 1));
    world.drive().await;
}

#[tokio::test]
async fn lists_of_an_office_are_read_by_their_indexes() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = packed(&world, citizen, agent).await;
    let mut owner = world.database.owner().await;
    // What is long done with, of this office: all but a few of its lines.
    let id = uuid::Uuid::try_parse(&order.order_id).unwrap();
    for statement in [
        "CREATE TEMPORARY TABLE done AS SELECT gen_random_uuid() AS order_id, gen_random_uuid() AS parcel_id, n FROM generate_series(1, 20000) n",
        "INSERT INTO customer_order SELECT (jsonb_populate_record(o, jsonb_build_object('id', d.order_id, 'reference',
             translate(lpad(d.n::text, 10, '0'), '0123456789', '2AFHJKMPRW'), 'payable_id', NULL))).* FROM customer_order o, done d WHERE o.id = $1",
        "INSERT INTO parcel SELECT (jsonb_populate_record(p, jsonb_build_object('id', d.parcel_id, 'order_id', d.order_id, 'shipment_id', NULL,
             'tracking_number', NULL, 'hand_over_at', now(), 'shipment_state', 'DELIVERED'))).* FROM parcel p, done d WHERE p.order_id = $1",
        "INSERT INTO order_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'order_id', d.order_id, 'parcel_id',
             d.parcel_id, 'state', 'DELIVERED', 'deadline', NULL))).* FROM order_line l, done d WHERE l.order_id = $1",
    ] {
        let query = sqlx::query(statement);
        let query = if statement.contains("$1") { query.bind(id) } else { query };
        query.execute(&mut owner).await.unwrap();
    }
    sqlx::raw_sql("ANALYZE").execute(&mut owner).await.unwrap();
    let explained = |statement: &str| AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) {statement}"));
    for (statement, indexes) in [
        (
            EXCEPTIONS.to_owned(),
            &["order_line_exception", "parcel_exception"][..],
        ),
        (waiting_parcels(), &["parcel_waiting"][..]),
        (open_parcels(), &["parcel_open"][..]),
    ] {
        let query = sqlx::query_scalar(explained(&statement)).bind(OFFICE);
        let query = if statement == EXCEPTIONS {
            query
                .bind(None::<chrono::DateTime<chrono::Utc>>)
                .bind(None::<uuid::Uuid>)
                .bind(50i64)
                .bind(true)
        } else {
            query.bind(None::<uuid::Uuid>).bind(50i64)
        };
        let plan: Value = query.fetch_one(&mut owner).await.unwrap();
        let plan = plan.to_string();
        assert!(!plan.contains("Seq Scan"), "{plan}");
        for index in indexes {
            assert!(plan.contains(index), "{index}: {plan}");
        }
    }
}

#[tokio::test]
async fn deadlines_that_are_over_are_found_by_their_index() {
    let world = World::start().await;
    let order = world.place(world.citizen(), vec![line("1")]).await;
    let id = uuid::Uuid::try_parse(&order.order_id).unwrap();
    let mut owner = world.database.owner().await;
    // What waits has a deadline.
    for statement in [
        "CREATE TEMPORARY TABLE waiting AS SELECT gen_random_uuid() AS order_id, n FROM generate_series(1, 20000) n",
        "INSERT INTO customer_order SELECT (jsonb_populate_record(o, jsonb_build_object('id', w.order_id, 'reference',
             translate(lpad(w.n::text, 10, '0'), '0123456789', '2AFHJKMPRW'), 'payable_id', NULL))).* FROM customer_order o, waiting w WHERE o.id = $1",
        "INSERT INTO order_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'order_id', w.order_id,
             'deadline', now() + interval '1 minute' * (w.n - 20)))).* FROM order_line l, waiting w WHERE l.order_id = $1",
    ] {
        let query = sqlx::query(statement);
        let query = if statement.contains("$1") { query.bind(id) } else { query };
        query.execute(&mut owner).await.unwrap();
    }
    sqlx::raw_sql("ANALYZE").execute(&mut owner).await.unwrap();
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) {OVERDUE}")))
        .bind(world.app.ambient.now() + chrono::TimeDelta::days(365))
        .bind(chrono::DateTime::UNIX_EPOCH)
        .bind(uuid::Uuid::nil())
        .bind(200i64)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    let plan = plan.to_string();
    assert!(plan.contains("order_line_deadline"), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("\"Sort\""), "{plan}");
}

#[tokio::test]
async fn an_order_that_cannot_be_read_does_not_keep_the_others_from_their_deadlines() {
    let world = World::start().await;
    let citizen = world.citizen();
    let broken = world.place(citizen, vec![line("1")]).await;
    let good = world.place(citizen, vec![line("2")]).await;
    world.pay(&broken).await;
    world.pay(&good).await;
    let mut owner = world.database.owner().await;
    sqlx::query("UPDATE order_line SET language = 'NONE' WHERE order_id = $1")
        .bind(uuid::Uuid::try_parse(&broken.order_id).unwrap())
        .execute(&mut owner)
        .await
        .unwrap();
    world.after(chrono::TimeDelta::days(10)).await;
    let events = world.events(&good).await;
    assert_eq!(events.last().unwrap(), "LineAlerted");
}
