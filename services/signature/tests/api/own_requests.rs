//! A citizen's requests after they were opened: lists, withdrawal, a second attempt, and whose they are.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{World, drawn, reason, request_id, violations};

fn fault(field: &str, reason: &str) -> (String, String) {
    (field.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn cancelling_and_lists() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.drafted(citizen).await.legalisation_request_id);
        world.clock.advance(TimeDelta::seconds(1));
    }
    world.drafted(world.citizen()).await;
    let cancel = async |id: &str| {
        let message = pb::CancelLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
        };
        world
            .legalisation()
            .cancel_legalisation_request(world.as_citizen(citizen, message))
            .await
    };
    let cancelled = cancel(&ids[1])
        .await
        .unwrap()
        .into_inner()
        .legalisation_request
        .unwrap();
    assert_eq!(cancelled.state(), pb::LegalisationState::Cancelled);
    assert_eq!(
        reason(cancel(&ids[1]).await),
        (Code::FailedPrecondition, "REQUEST_STATE".to_owned())
    );

    let list = async |message: pb::ListLegalisationRequestsRequest| {
        let answer = world
            .legalisation()
            .list_legalisation_requests(world.as_citizen(citizen, message))
            .await;
        let answer = answer.unwrap().into_inner();
        let found: Vec<String> = answer
            .legalisation_requests
            .into_iter()
            .map(|found| found.legalisation_request_id)
            .collect();
        (found, answer.next_page_token)
    };
    let page = |page_size, page_token| pb::ListLegalisationRequestsRequest {
        page_size,
        page_token,
        states: vec![],
    };
    let (first, token) = list(page(2, String::new())).await;
    assert_eq!(first, [ids[2].clone(), ids[1].clone()]);
    let (second, token) = list(page(2, token)).await;
    assert_eq!((second, token), (vec![ids[0].clone()], String::new()));
    let only = pb::ListLegalisationRequestsRequest {
        states: vec![pb::LegalisationState::Cancelled.into()],
        ..Default::default()
    };
    assert_eq!(list(only).await.0, [ids[1].as_str()]);
    let message = pb::ListLegalisationRequestsRequest {
        page_token: "?".to_owned(),
        ..Default::default()
    };
    let result = world
        .legalisation()
        .list_legalisation_requests(world.as_citizen(citizen, message))
        .await;
    assert_eq!(violations(result), [fault("page_token", "MALFORMED")]);
}

#[tokio::test]
async fn another_person_s_request_is_not_found() {
    let world = World::start().await;
    let owner = world.citizen();
    let id = world.placed(owner).await.legalisation_request_id;
    let other = world.citizen();
    let missing = (Code::NotFound, "LEGALISATION_REQUEST_NOT_FOUND".to_owned());
    assert_eq!(reason(world.try_get(other, &id).await), missing);
    assert_eq!(reason(world.try_place(other, &id, drawn()).await), missing);
    assert_eq!(
        reason(world.try_confirm(other, &id, &Uuid::new_v4().to_string()).await),
        missing
    );
    let subject = pb::GetConfirmationSubjectRequest {
        legalisation_request_id: id.clone(),
    };
    assert_eq!(
        reason(
            world
                .legalisation()
                .get_confirmation_subject(world.as_citizen(other, subject))
                .await
        ),
        missing
    );
    let cancel = pb::CancelLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
    };
    assert_eq!(
        reason(
            world
                .legalisation()
                .cancel_legalisation_request(world.as_citizen(other, cancel))
                .await
        ),
        missing
    );
    let resubmit = pb::ResubmitLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        document_id: String::new(),
    };
    let result = world
        .legalisation()
        .resubmit_legalisation_request(world.as_citizen(other, resubmit))
        .await;
    assert_eq!(reason(result), missing);
    assert_eq!(
        world.try_get(owner, &id).await.unwrap().state(),
        pb::LegalisationState::SignaturePlaced
    );
}

#[tokio::test]
async fn a_refused_request_is_resubmitted_free_and_once() {
    let world = World::start().await;
    let administrator = world.official(&["administrator"]);
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    let resubmit = async || {
        let message = pb::ResubmitLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.clone(),
            document_id: String::new(),
        };
        let answer = world
            .legalisation()
            .resubmit_legalisation_request(world.as_citizen(citizen, message))
            .await?;
        Ok::<_, tonic::Status>(answer.into_inner().legalisation_request.unwrap())
    };
    assert_eq!(
        reason(resubmit().await),
        (Code::FailedPrecondition, "REQUEST_NOT_REFUSED".to_owned())
    );
    world.try_claim(agent, &id).await.unwrap();
    let refused = world.try_refuse(agent, &id, None).await.unwrap();
    assert_eq!(refused.refusal.unwrap().reason_code, "signature_differs");
    world.try_set_fee(administrator, 500, None).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));

    let draft = resubmit().await.unwrap();
    assert_eq!(
        (draft.resubmission_of.as_str(), draft.fee_centimes),
        (id.as_str(), 0)
    );
    assert_eq!(
        reason(resubmit().await),
        (Code::FailedPrecondition, "ALREADY_RESUBMITTED".to_owned())
    );
    let cancel = pb::CancelLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: draft.legalisation_request_id,
    };
    world
        .legalisation()
        .cancel_legalisation_request(world.as_citizen(citizen, cancel))
        .await
        .unwrap();
    let draft = resubmit().await.unwrap();
    world
        .try_place(citizen, &draft.legalisation_request_id, drawn())
        .await
        .unwrap();
    let confirmation_id = world.confirmation(citizen, &draft.legalisation_request_id).await;
    let filed = world
        .try_confirm(citizen, &draft.legalisation_request_id, &confirmation_id)
        .await
        .unwrap();
    assert_eq!(filed.state(), pb::LegalisationState::Submitted);
}
