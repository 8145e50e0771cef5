//! What another service will never do is said at once, and nothing waits behind it.

use chrono::TimeDelta;
use tonic::Code;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::digitised::{digitise, prepare, prepared};
use crate::harness::{OFFICE, Person, World, line, request_id};

async fn refuse(world: &World, staff: Person, line: &pb::OrderLine) {
    let request = pb::RefuseLineRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    world
        .office()
        .refuse_line(world.staff(staff, request))
        .await
        .unwrap();
    world.drive().await;
}

async fn exceptions(world: &World, agent: Person) -> Vec<String> {
    let request = pb::ListExceptionsRequest {
        office_id: OFFICE.to_string(),
        ..Default::default()
    };
    let answer = world.office().list_exceptions(world.staff(agent, request)).await;
    let entries = answer.unwrap().into_inner().entries;
    entries.into_iter().map(|entry| entry.code).collect()
}

#[tokio::test]
async fn a_document_that_signature_never_takes_fails_and_holds_nothing_back() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    for (code, reason) in [
        (Code::FailedPrecondition, "OFFICE_WITHOUT_SEAL"),
        (Code::InvalidArgument, "whatever"),
        (Code::PermissionDenied, "whatever"),
    ] {
        world.peers.refusals.add("DepositIssuedDocument", code, reason);
        let order = world.place(citizen, vec![line("12")]).await;
        world.pay(&order).await;
        prepare(&world, officer, &order.lines[0]).await;
        let waiting = world.get(citizen, &order).await;
        assert_eq!(waiting.lines[0].progress_code, "PREPARATION_FAILED", "{reason}");
        // It may be tried once more, and refused at any time.
        assert_eq!(prepare(&world, officer, &order.lines[0]).await.problems.len(), 0);
        refuse(&world, officer, &order.lines[0]).await;
        let ended = world.get(citizen, &order).await;
        assert_eq!(ended.lines[0].state(), pb::LineState::Refunding, "{reason}");
    }
    assert_eq!(prepared(&world, officer).await.len(), 0);
}

#[tokio::test]
async fn what_signature_takes_later_waits_and_what_ends_meanwhile_is_not_drawn() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    world
        .peers
        .refusals
        .add("DepositIssuedDocument", Code::Aborted, "LOST_RACE");
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    let waiting = world.get(citizen, &order).await;
    assert_eq!(waiting.lines[0].progress_code, "WAITING_FOR_SIGNATURE_SERVICE");
    world.peers.refusals.clear();
    world.after(TimeDelta::minutes(6)).await;
    let waiting = world.get(citizen, &order).await;
    assert_eq!(waiting.lines[0].progress_code, "WAITING_FOR_SEAL");

    // It is refused before it was drawn: then it is not drawn any more.
    let other = world.place(citizen, vec![line("12")]).await;
    world.pay(&other).await;
    let request = pb::PrepareDocumentsRequest {
        request_id: request_id(),
        line_ids: vec![other.lines[0].line_id.clone()],
    };
    world
        .office()
        .prepare_documents(world.staff(officer, request))
        .await
        .unwrap();
    refuse(&world, officer, &other.lines[0]).await;
    let ended = world.get(citizen, &other).await;
    assert_eq!(ended.lines[0].state(), pb::LineState::Refunding);
    let documents = world.peers.documents.lock().unwrap();
    assert!(
        !documents.contains_key(&other.lines[0].line_id),
        "it was never drawn"
    );
}

#[tokio::test]
async fn a_document_whose_seal_has_failed_is_not_waited_for() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    let failed = (Code::FailedPrecondition, "DOCUMENT_FAILED");
    world
        .peers
        .refusals
        .add("WithdrawIssuedDocument", failed.0, failed.1);
    refuse(&world, officer, &order.lines[0]).await;
    let ended = world.get(citizen, &order).await;
    assert_eq!(ended.lines[0].state(), pb::LineState::Refunding);
}

#[tokio::test]
async fn a_refund_that_payment_never_makes_is_seen_at_once() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    world
        .peers
        .refusals
        .add("RequestRefund", Code::FailedPrecondition, "PAYABLE_STATE");
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    refuse(&world, agent, &order.lines[0]).await;
    assert_eq!(exceptions(&world, agent).await, ["REFUND_FAILED"]);
    let events = world.events(&order).await;
    assert_eq!(events.last().unwrap(), "LineRefundFailed");
    assert_eq!(
        world.get(citizen, &order).await.lines[0].progress_code,
        "REFUND_FAILED"
    );
}

#[tokio::test]
async fn a_refund_that_does_not_come_is_told_after_its_time() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    refuse(&world, agent, &order.lines[0]).await;
    assert_eq!(exceptions(&world, agent).await, Vec::<String>::new());
    world.after(TimeDelta::days(21)).await;
    assert_eq!(exceptions(&world, agent).await, ["REFUND_OVERDUE"]);
    world.give_back(&order, &order.lines[0]).await;
    assert_eq!(exceptions(&world, agent).await, Vec::<String>::new());
}
