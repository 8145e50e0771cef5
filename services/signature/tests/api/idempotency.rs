//! A command is done once, however often it comes.

use tonic::Code;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{World, drawn, matching, reason, request_id, standing};
use crate::sample;

#[tokio::test]
async fn a_repeated_upload_is_the_same_document_and_another_file_is_an_error() {
    let world = World::start().await;
    let citizen = world.citizen();
    let (file, id) = (sample::plain(1), request_id());
    let first = world.try_upload(citizen, &id, &file).await.unwrap();
    assert_eq!(world.try_upload(citizen, &id, &file).await.unwrap(), first);
    let other = world.try_upload(citizen, &id, &sample::plain(2)).await;
    assert_eq!(
        reason(other),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
    // The same id of another person is another command.
    let others = world.try_upload(world.citizen(), &id, &file).await.unwrap();
    assert_ne!(others.document_id, first.document_id);
    let kept = std::fs::read_dir(world.folder.path().join("objects/documents"))
        .unwrap()
        .count();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn repeats_get_the_first_answer_even_when_things_have_moved_on() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let document = world.upload(citizen, &sample::plain(1)).await;
    let create = world.opening(&document);
    let create = async || {
        let answer = world
            .legalisation()
            .create_legalisation_request(world.as_citizen(citizen, create.clone()))
            .await;
        answer.unwrap().into_inner().legalisation_request.unwrap()
    };
    let draft = create().await;
    let id = draft.legalisation_request_id.clone();
    let place = pb::PlaceSignatureRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        placement: Some(drawn()),
        etag: draft.etag.clone(),
    };
    let place_with = async |message: &pb::PlaceSignatureRequest| {
        let answer = world
            .legalisation()
            .place_signature(world.as_citizen(citizen, message.clone()))
            .await?;
        Ok::<_, tonic::Status>(answer.into_inner().legalisation_request.unwrap())
    };
    let placed = place_with(&place).await.unwrap();
    let confirm = pb::ConfirmLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        confirmation_id: world.confirmation(citizen, &id).await,
    };
    let confirm = async || {
        let message = world.as_citizen(citizen, confirm.clone());
        let answer = world
            .legalisation()
            .confirm_legalisation_request(message)
            .await
            .unwrap();
        answer.into_inner().legalisation_request.unwrap()
    };
    let submitted = confirm().await;
    let claim = pb::ClaimRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
    };
    let claim = async || {
        world
            .office()
            .claim_request(world.as_staff(agent, claim.clone()))
            .await
            .unwrap()
            .into_inner()
    };
    let claimed = claim().await;
    let review = world.try_review(agent, &id).await.unwrap();
    let accept = pb::AcceptRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        comparison: Some(matching(&review)),
    };
    let accept = async || {
        world
            .office()
            .accept_request(world.as_staff(agent, accept.clone()))
            .await
            .unwrap()
            .into_inner()
    };
    let accepted = accept().await;

    assert_eq!(create().await, draft);
    assert_eq!(place_with(&place).await.unwrap(), placed);
    assert_eq!(confirm().await, submitted);
    assert_eq!(claim().await, claimed);
    assert_eq!(accept().await, accepted);
    assert_eq!(world.identity.redemptions(), 1);

    let changed = pb::PlaceSignatureRequest {
        placement: Some(standing()),
        ..place
    };
    let result = place_with(&changed).await;
    assert_eq!(
        reason(result),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
}

#[tokio::test]
async fn a_request_id_is_necessary() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.drafted(citizen).await.legalisation_request_id;
    let message = pb::CancelLegalisationRequestRequest {
        request_id: String::new(),
        legalisation_request_id: id,
    };
    let result = world
        .legalisation()
        .cancel_legalisation_request(world.as_citizen(citizen, message))
        .await;
    assert_eq!(
        crate::harness::violations(result),
        [("request_id".to_owned(), "REQUIRED".to_owned())]
    );
}
