//! Nobody serves their own order, and nobody serves whose session or role has ended.

use std::sync::atomic::Ordering;

use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::digitised::{digitise, prepare};
use crate::harness::{OFFICE, Person, World, line, reason, request_id};

const OWN: (Code, &str) = (Code::PermissionDenied, "OWN_ORDER");

fn told<T>(answer: Result<T, Status>) -> (Code, String) {
    reason(answer)
}

async fn refuse(world: &World, staff: Person, line: &pb::OrderLine) -> Result<(), Status> {
    let request = pb::RefuseLineRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    let answer = world.office().refuse_line(world.staff(staff, request)).await;
    answer.map(drop)
}

async fn check(world: &World, staff: Person, line: &pb::OrderLine) -> Result<(), Status> {
    let request = pb::CheckEntitlementRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        note: String::new(),
    };
    let answer = world
        .office()
        .check_entitlement(world.staff(staff, request))
        .await;
    answer.map(drop)
}

async fn assign(world: &World, staff: Person, to: Person, line: &pb::OrderLine) -> Result<(), Status> {
    let request = pb::AssignLinesRequest {
        request_id: request_id(),
        line_ids: vec![line.line_id.clone()],
        person_id: to.0.to_string(),
    };
    let answer = world.office().assign_lines(world.staff(staff, request)).await;
    answer.map(drop)
}

async fn correction(world: &World, staff: Person, line: &pb::OrderLine) -> Result<(), Status> {
    let request = pb::RequestCorrectionRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    let answer = world
        .office()
        .request_correction(world.staff(staff, request))
        .await;
    answer.map(drop)
}

async fn link(world: &World, staff: Person, line: &pb::OrderLine) -> Result<(), Status> {
    let request = pb::LinkActRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        act_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let answer = world.office().link_act(world.staff(staff, request)).await;
    answer.map(drop)
}

async fn sheet(world: &World, staff: Person, lines: Vec<String>) -> Result<pb::BatchSheet, Status> {
    let request = pb::CreateBatchSheetRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        line_ids: lines,
    };
    let answer = world
        .office()
        .create_batch_sheet(world.staff(staff, request))
        .await;
    Ok(answer?.into_inner().batch_sheet.unwrap())
}

#[tokio::test]
async fn an_official_s_own_order_is_served_by_others_alone() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (own, other, agent) = (world.officer(), world.officer(), world.agent());
    let order = world.place(own, vec![line("12"), line("13")]).await;
    world.pay(&order).await;
    let [drawn, made] = &order.lines[..] else {
        panic!("two lines")
    };
    assert_eq!(prepare(&world, own, drawn).await.problems[0].reason, OWN.1);
    for refused in [
        refuse(&world, own, made).await,
        check(&world, own, made).await,
        correction(&world, own, made).await,
        link(&world, own, made).await,
        assign(&world, own, agent, made).await,
        assign(&world, agent, own, made).await,
        sheet(&world, own, vec![made.line_id.clone()]).await.map(drop),
    ] {
        assert_eq!(told(refused), (OWN.0, OWN.1.to_owned()));
    }
    // A sheet of all that waits leaves it out.
    assert_eq!(told(sheet(&world, own, Vec::new()).await).1, "NOTHING_WAITS");
    world.batch_sheet(agent, &[made]).await;
    for (scans, signs) in [(own, other), (agent, own)] {
        let refused = world.produce(scans, signs, made).await;
        assert_eq!(told(refused), (OWN.0, OWN.1.to_owned()));
    }
    let looked = pb::RecordProductionRequest {
        request_id: request_id(),
        line_reference: made.line_reference.clone(),
        officer_person_id: other.0.to_string(),
        looked_by_person_id: own.0.to_string(),
    };
    let refused = world.office().record_production(world.staff(agent, looked)).await;
    assert_eq!(told(refused), (OWN.0, OWN.1.to_owned()));
    world.produce(agent, other, made).await.unwrap();
    assert_eq!(prepare(&world, other, drawn).await.problems.len(), 0);
    let mut conn = world.database.connect().await;
    let denied: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE person_id = $1 AND outcome = 'refused' AND reason = 'OWN_ORDER'",
    )
    .bind(own.0)
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert!(denied >= 4, "denials leave a trace: {denied}");
}

#[tokio::test]
async fn the_database_takes_no_work_of_whoever_placed_the_order() {
    let world = World::start().await;
    let citizen = world.citizen();
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let mut conn = world.database.connect().await;
    for change in [
        "assigned_to = $1",
        "looked_by = $1",
        "signed_by = $1",
        "document = jsonb_build_object('prepared_by', $1)",
        "document = jsonb_build_object('again', jsonb_build_object('prepared_by', $1))",
    ] {
        let sql = format!("UPDATE order_line SET {change} WHERE id = $2");
        let update = |person: Uuid| {
            sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
                .bind(person)
                .bind(Uuid::try_parse(&order.lines[0].line_id).unwrap())
        };
        let refused = update(citizen.0).execute(&mut conn).await.unwrap_err();
        assert!(
            refused.to_string().contains("their own order"),
            "{change}: {refused}"
        );
        update(Uuid::new_v4()).execute(&mut conn).await.unwrap();
    }
}

#[tokio::test]
async fn whose_role_or_session_has_ended_serves_nobody_and_without_identity_nobody_is_served() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("12"), line("13")]).await;
    world.pay(&order).await;
    let [drawn, made] = &order.lines[..] else {
        panic!("two lines")
    };
    world.batch_sheet(agent, &[made]).await;
    let prepare = |staff: Person| {
        let request = pb::PrepareDocumentsRequest {
            request_id: request_id(),
            line_ids: vec![drawn.line_id.clone()],
        };
        // The token is issued before the role ends.
        world.staff(staff, request)
    };
    let before = world.events(&order).await;

    world.identity.down.store(true, Ordering::SeqCst);
    let unavailable = (Code::Unavailable, "IDENTITY_UNAVAILABLE".to_owned());
    assert_eq!(told(refuse(&world, agent, made).await), unavailable);
    assert_eq!(told(check(&world, agent, made).await), unavailable);
    assert_eq!(told(world.produce(agent, officer, made).await), unavailable);
    assert_eq!(
        told(world.office().prepare_documents(prepare(officer)).await),
        unavailable
    );
    world.identity.down.store(false, Ordering::SeqCst);

    world.identity.signed_out.store(true, Ordering::SeqCst);
    let ended = (Code::Unauthenticated, "SESSION_ENDED".to_owned());
    assert_eq!(told(refuse(&world, agent, made).await), ended);
    assert_eq!(told(check(&world, agent, made).await), ended);
    assert_eq!(told(world.produce(agent, officer, made).await), ended);
    assert_eq!(
        told(world.office().prepare_documents(prepare(officer)).await),
        ended
    );
    world.identity.signed_out.store(false, Ordering::SeqCst);

    let stale = prepare(officer);
    let refusal = pb::RefuseLineRequest {
        request_id: request_id(),
        line_id: made.line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    let refusal = world.staff(agent, refusal);
    for person in [agent, officer] {
        world.identity.revoke(person.0);
    }
    let answer = world
        .office()
        .prepare_documents(stale)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.problems[0].reason, "ROLE_MISSING");
    let refused = world.office().refuse_line(refusal).await;
    assert_eq!(told(refused), (Code::PermissionDenied, "ROLE_MISSING".to_owned()));
    assert_eq!(world.events(&order).await, before, "nothing is half done");
}
