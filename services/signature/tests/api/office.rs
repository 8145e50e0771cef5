//! Queue and claims.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{OFFICE, Person, World, reason, request_id, violations};

async fn queue(world: &World, person: Person, message: pb::ListQueueRequest) -> (Vec<String>, String) {
    let answer = world
        .office()
        .list_queue(world.as_staff(person, message))
        .await
        .unwrap()
        .into_inner();
    let ids = answer
        .entries
        .into_iter()
        .map(|entry| entry.legalisation_request.unwrap().legalisation_request_id);
    (ids.collect(), answer.next_page_token)
}

async fn all(world: &World, person: Person) -> Vec<String> {
    queue(world, person, pb::ListQueueRequest::default()).await.0
}

#[tokio::test]
async fn each_role_sees_what_is_its_turn() {
    let world = World::start().await;
    let (agent, officer) = (world.official(&["agent"]), world.official(&["officer"]));
    let both = world.official(&["agent", "officer"]);
    world.placed(world.citizen()).await;
    let first = world.submitted(world.citizen()).await.legalisation_request_id;
    world.clock.advance(TimeDelta::seconds(1));
    let second = world.submitted(world.citizen()).await.legalisation_request_id;
    assert_eq!(all(&world, agent).await, [first.as_str(), second.as_str()]);
    assert_eq!(all(&world, officer).await, Vec::<String>::new());
    world.accept(agent, &first).await;
    assert_eq!(all(&world, agent).await, [second.as_str()]);
    assert_eq!(all(&world, officer).await, [first.as_str()]);
    assert_eq!(all(&world, both).await, [first.as_str(), second.as_str()]);

    let page = |page_token| pb::ListQueueRequest {
        page_size: 1,
        page_token,
        ..Default::default()
    };
    let (found, token) = queue(&world, both, page(String::new())).await;
    assert_eq!(found, [first.as_str()]);
    let (found, token) = queue(&world, both, page(token)).await;
    assert_eq!((found, token), (vec![second.clone()], String::new()));
    let leases = pb::ListQueueRequest {
        document_kind: "lease".to_owned(),
        ..Default::default()
    };
    assert_eq!(queue(&world, both, leases).await.0, Vec::<String>::new());
    let submitted = pb::ListQueueRequest {
        states: vec![pb::LegalisationState::Submitted.into()],
        ..Default::default()
    };
    assert_eq!(queue(&world, officer, submitted).await.0, [second]);
    let sealed = pb::ListQueueRequest {
        states: vec![pb::LegalisationState::Sealed.into()],
        ..Default::default()
    };
    let result = world.office().list_queue(world.as_staff(agent, sealed)).await;
    assert_eq!(
        violations(result),
        [("states".to_owned(), "STATE_NOT_IN_QUEUE".to_owned())]
    );
}

#[tokio::test]
async fn another_office_s_queue_does_not_exist() {
    let world = World::start().await;
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    let elsewhere = world.citizen();
    let other_office = Uuid::from_u128(0xbeef);
    world.identity.grant(elsewhere.0, other_office, "agent");
    world.identity.grant(elsewhere.0, other_office, "officer");
    assert_eq!(all(&world, elsewhere).await, Vec::<String>::new());
    let message = pb::ListQueueRequest {
        office_id: OFFICE.to_string(),
        ..Default::default()
    };
    let result = world
        .office()
        .list_queue(world.as_staff(elsewhere, message))
        .await;
    assert_eq!(reason(result), (Code::NotFound, "OFFICE_NOT_FOUND".to_owned()));
    let missing = (Code::NotFound, "LEGALISATION_REQUEST_NOT_FOUND".to_owned());
    assert_eq!(reason(world.try_claim(elsewhere, &id).await), missing);
    assert_eq!(reason(world.try_review(elsewhere, &id).await), missing);
    assert_eq!(reason(world.try_refuse(elsewhere, &id, None).await), missing);
    let comparison = pb::Comparison {
        result: pb::ComparisonResult::Matches.into(),
        region_sha256: vec![0; 32],
        specimen_sha256: vec![0; 32],
        ..Default::default()
    };
    assert_eq!(
        reason(world.try_accept(elsewhere, &id, comparison).await),
        missing
    );
    // An administrator of the office has no part in the review either.
    assert_eq!(
        reason(world.try_claim(world.official(&["administrator"]), &id).await),
        missing
    );
}

#[tokio::test]
async fn a_claim_keeps_others_away_until_it_lapses() {
    let world = World::start().await;
    let (one, two) = (world.official(&["agent"]), world.official(&["agent"]));
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    let entry = world.try_claim(one, &id).await.unwrap();
    assert_eq!(entry.claimed_by_person_id, one.0.to_string());
    assert_eq!(
        (
            entry.applicant_name_latin.as_str(),
            entry.applicant_name_arabic.as_str()
        ),
        ("Souad Alami", "سعاد العلمي")
    );
    let taken = (Code::FailedPrecondition, "CLAIMED_BY_OTHER".to_owned());
    assert_eq!(reason(world.try_claim(two, &id).await), taken);
    assert_eq!(reason(world.try_review(two, &id).await), taken);
    let free = pb::ListQueueRequest {
        unclaimed_only: true,
        ..Default::default()
    };
    assert_eq!(queue(&world, two, free.clone()).await.0, Vec::<String>::new());
    assert_eq!(queue(&world, one, free.clone()).await.0, [id.as_str()]);

    world.clock.advance(TimeDelta::minutes(15));
    assert_eq!(queue(&world, two, free).await.0, [id.as_str()]);
    world.try_claim(two, &id).await.unwrap();
    assert_eq!(reason(world.try_refuse(one, &id, None).await), taken);
}

#[tokio::test]
async fn a_claim_is_given_back() {
    let world = World::start().await;
    let (one, two) = (world.official(&["agent"]), world.official(&["agent"]));
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    world.try_claim(one, &id).await.unwrap();
    let release = async |person| {
        let message = pb::ReleaseClaimRequest {
            request_id: request_id(),
            legalisation_request_id: id.clone(),
        };
        world
            .office()
            .release_claim(world.as_staff(person, message))
            .await
            .unwrap();
    };
    // Not by somebody else.
    release(two).await;
    assert_eq!(
        reason(world.try_claim(two, &id).await),
        (Code::FailedPrecondition, "CLAIMED_BY_OTHER".to_owned())
    );
    release(one).await;
    world.try_claim(two, &id).await.unwrap();
}

#[tokio::test]
async fn claims_are_for_the_role_in_turn_and_for_other_persons() {
    let world = World::start().await;
    let (agent, officer) = (world.official(&["agent"]), world.official(&["officer"]));
    let both = world.official(&["agent", "officer"]);
    let id = world.submitted(both).await.legalisation_request_id;
    let four_eyes = (Code::PermissionDenied, "FOUR_EYES".to_owned());
    let wrong_role = (Code::PermissionDenied, "ROLE_MISSING".to_owned());
    assert_eq!(reason(world.try_claim(both, &id).await), four_eyes);
    assert_eq!(reason(world.try_claim(officer, &id).await), wrong_role);
    world.accept(agent, &id).await;
    assert_eq!(reason(world.try_claim(agent, &id).await), wrong_role);
    assert_eq!(reason(world.try_claim(both, &id).await), four_eyes);
    world.try_claim(officer, &id).await.unwrap();

    let mut conn = world.database.connect().await;
    let denied: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT action, reason FROM audit WHERE outcome = 'refused' ORDER BY id")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    let expected = ["FOUR_EYES", "ROLE_MISSING", "ROLE_MISSING", "FOUR_EYES"]
        .map(|reason| ("legalisation_request.claim".to_owned(), Some(reason.to_owned())));
    assert_eq!(denied, expected);

    let other = world.submitted(world.citizen()).await.legalisation_request_id;
    world.accept(both, &other).await;
    assert_eq!(reason(world.try_claim(both, &other).await), four_eyes);
    let draft = world.drafted(world.citizen()).await.legalisation_request_id;
    let missing = (Code::NotFound, "LEGALISATION_REQUEST_NOT_FOUND".to_owned());
    assert_eq!(reason(world.try_claim(agent, &draft).await), missing);
}

#[tokio::test]
async fn staff_do_not_act_through_a_citizen_session_nor_citizens_through_a_staff_one() {
    let world = World::start().await;
    let agent = world.official(&["agent"]);
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    let wrong = (Code::PermissionDenied, "WRONG_SURFACE".to_owned());
    let message = pb::ClaimRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
    };
    assert_eq!(
        reason(
            world
                .office()
                .claim_request(world.as_citizen(agent, message))
                .await
        ),
        wrong
    );
    let result = world
        .office()
        .list_queue(world.as_citizen(agent, pb::ListQueueRequest::default()))
        .await;
    assert_eq!(reason(result), wrong);
    let message = pb::ListLegalisationRequestsRequest::default();
    assert_eq!(
        reason(
            world
                .legalisation()
                .list_legalisation_requests(world.as_staff(agent, message))
                .await
        ),
        wrong
    );
}
