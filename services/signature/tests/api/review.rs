//! Comparing, accepting, refusing, sending back.

use sha2::{Digest, Sha256};
use tonic::Code;
use wathiq_chassis::Surface;
use wathiq_chassis::testing::{token, with_token};
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{Person, World, drawn, matching, reason, request_id, violations};

async fn try_return(
    world: &World,
    officer: Person,
    id: &str,
) -> Result<pb::LegalisationRequest, tonic::Status> {
    let message = pb::ReturnRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.to_owned(),
        note: "Merci de vérifier la page 2.".to_owned(),
    };
    let answer = world
        .office()
        .return_request(world.as_staff(officer, message))
        .await?;
    Ok(answer.into_inner().legalisation_request.unwrap())
}

#[tokio::test]
async fn the_agent_sees_signature_and_specimen_and_what_was_compared_is_recorded() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    assert_eq!(
        reason(world.try_review(agent, &id).await),
        (Code::FailedPrecondition, "CLAIM_MISSING".to_owned())
    );
    world.try_claim(agent, &id).await.unwrap();
    let review = world.try_review(agent, &id).await.unwrap();
    assert_eq!(review.region_sha256, Sha256::digest(&review.region_png).to_vec());
    assert_eq!(
        review.specimen_sha256,
        Sha256::digest(&review.specimen_png).to_vec()
    );
    assert_eq!(review.specimen_version, 1);
    // 160 by 60 points at four pixels a point, and the strokes are on it.
    let picture = image::load_from_memory(&review.region_png).unwrap().to_luma8();
    assert_eq!((picture.width(), picture.height()), (640, 240));
    let dark = picture.pixels().filter(|pixel| pixel.0[0] < 128).count();
    assert!(dark > 200, "{dark} dark pixels are no signature");
    let kept = world.folder.path().join(format!(
        "objects/reviews/{id}/{}",
        data_encoding::HEXLOWER.encode(&review.region_sha256)
    ));
    assert_eq!(std::fs::read(kept).unwrap(), review.region_png);

    let accepted = world.try_accept(agent, &id, matching(&review)).await.unwrap();
    assert_eq!(accepted.state(), pb::LegalisationState::AgentAccepted);
    let mut conn = world.database.connect().await;
    let (who, result, region, proof): (uuid::Uuid, String, Vec<u8>, String) = sqlx::query_as(
        "SELECT agent_id, comparison_result, region_sha256, specimen_proof_method FROM legalisation_request",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(
        (who, result.as_str(), proof.as_str()),
        (agent.0, "MATCHES", "IN_PERSON")
    );
    assert_eq!(region, review.region_sha256);
    let audited: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE action IN ('legalisation_request.review', 'legalisation_request.accept')
         AND person_id = $1",
    )
    .bind(agent.0)
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(audited, 2);
}

#[tokio::test]
async fn a_standing_signature_is_shown_as_it_stands() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.drafted(citizen).await.legalisation_request_id;
    // The frame that the sample page draws.
    let there = pb::Placement {
        rectangle: Some(pb::Rectangle {
            x: 90.0,
            y: 672.0,
            width: 220.0,
            height: 80.0,
        }),
        ..crate::harness::standing()
    };
    world.try_place(citizen, &id, there).await.unwrap();
    let confirmation_id = world.confirmation(citizen, &id).await;
    world.try_confirm(citizen, &id, &confirmation_id).await.unwrap();
    world.try_claim(agent, &id).await.unwrap();
    let review = world.try_review(agent, &id).await.unwrap();
    let picture = image::load_from_memory(&review.region_png).unwrap().to_luma8();
    assert!(
        picture.pixels().any(|pixel| pixel.0[0] < 128),
        "the frame is in the picture"
    );
}

#[tokio::test]
async fn a_comparison_is_about_what_was_shown() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    world.try_claim(agent, &id).await.unwrap();
    let unseen = pb::Comparison {
        result: pb::ComparisonResult::Matches.into(),
        specimen_version: 1,
        region_sha256: vec![1; 32],
        specimen_sha256: vec![2; 32],
        ..Default::default()
    };
    let refused = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    assert_eq!(
        reason(world.try_accept(agent, &id, unseen.clone()).await),
        refused("COMPARISON_NOT_SHOWN")
    );
    let review = world.try_review(agent, &id).await.unwrap();
    assert_eq!(
        reason(world.try_accept(agent, &id, unseen).await),
        refused("COMPARISON_MISMATCH")
    );
    let differs = pb::Comparison {
        result: pb::ComparisonResult::Differs.into(),
        ..matching(&review)
    };
    assert_eq!(
        reason(world.try_accept(agent, &id, differs.clone()).await),
        refused("COMPARISON_DIFFERS")
    );
    let nothing = pb::Comparison {
        region_sha256: vec![],
        ..pb::Comparison::default()
    };
    let faults = violations(world.try_accept(agent, &id, nothing).await);
    let fields: Vec<_> = faults.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "comparison.result",
            "comparison.region_sha256",
            "comparison.specimen_sha256"
        ]
    );

    let other = pb::Comparison {
        specimen_version: 2,
        ..differs.clone()
    };
    let refusal = world.try_refuse(agent, &id, Some(other)).await;
    assert_eq!(reason(refusal), refused("COMPARISON_MISMATCH"));
    let request = world.try_refuse(agent, &id, Some(differs)).await.unwrap();
    assert_eq!(request.state(), pb::LegalisationState::Refused);
}

#[tokio::test]
async fn the_specimen_compared_is_the_one_that_was_confirmed() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    world.try_claim(agent, &id).await.unwrap();
    let before = world.try_review(agent, &id).await.unwrap();
    world.identity.add_specimen(citizen.0, 2);
    let after = world.try_review(agent, &id).await.unwrap();
    assert_eq!((before.specimen_version, after.specimen_version), (1, 1));
    assert_eq!(before.specimen_png, after.specimen_png);

    world.identity.remove_specimens(citizen.0);
    world.identity.add_specimen(citizen.0, 3);
    assert_eq!(
        reason(world.try_review(agent, &id).await),
        (Code::FailedPrecondition, "SPECIMEN_VERSION_GONE".to_owned())
    );
    world.try_accept(agent, &id, matching(&after)).await.unwrap();
    let mut conn = world.database.connect().await;
    let recorded: (i32, i32, Vec<u8>) = sqlx::query_as(
        "SELECT specimen_version, confirmed_specimen, specimen_sha256 FROM legalisation_request",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(recorded, (1, 1, after.specimen_sha256));
}

#[tokio::test]
async fn refusals_have_a_catalogued_reason_and_a_text() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    world.try_claim(agent, &id).await.unwrap();
    let refuse = async |reason_code: &str, text: &str| {
        let message = pb::RefuseRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.clone(),
            reason_code: reason_code.to_owned(),
            text: text.to_owned(),
            comparison: None,
        };
        world
            .office()
            .refuse_request(world.as_staff(agent, message))
            .await
    };
    let fault = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(
        violations(refuse("", "no").await),
        [fault("reason_code", "REQUIRED"), fault("text", "LENGTH")]
    );
    let unknown = refuse("mood", "Parce que c'est ainsi.").await;
    assert_eq!(
        violations(unknown),
        [fault("reason_code", "REFUSAL_REASON_UNKNOWN")]
    );
    refuse("document_incomplete", "Il manque la page de signature.")
        .await
        .unwrap();

    let message = pb::GetMessageFactsRequest {
        legalisation_request_id: id,
    };
    let facts = world
        .message_facts()
        .get_message_facts(message)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(facts.applicant_person_id, citizen.0.to_string());
    assert_eq!(facts.document_file_name, "contrat.pdf");
    assert_eq!(
        facts.refusal_text_fr,
        "Le document est incomplet ou comporte des blancs."
    );
    assert_eq!(facts.office_name_fr, "Annexe administrative Cité de l'air");
    assert_eq!(facts.link_token, "");
}

#[tokio::test]
async fn the_officer_returns_or_refuses_but_not_the_agent_s_own() {
    let world = World::start().await;
    let officer = world.official(&["officer"]);
    let both = world.official(&["agent", "officer"]);
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    world.accept(both, &id).await;
    let missing = (Code::FailedPrecondition, "CLAIM_MISSING".to_owned());
    assert_eq!(reason(try_return(&world, officer, &id).await), missing);
    world.try_claim(officer, &id).await.unwrap();
    let returned = try_return(&world, officer, &id).await.unwrap();
    assert_eq!(returned.state(), pb::LegalisationState::Submitted);

    // Back with the agents, note included; the one who sent it back may now compare, but then not seal.
    let entry = world.try_claim(both, &id).await.unwrap();
    assert_eq!(entry.return_note, "Merci de vérifier la page 2.");
    let review = world.try_review(both, &id).await.unwrap();
    world.try_accept(both, &id, matching(&review)).await.unwrap();
    world.try_claim(officer, &id).await.unwrap();
    let with_comparison = world.try_refuse(officer, &id, Some(matching(&review))).await;
    assert_eq!(
        violations(with_comparison),
        [("comparison".to_owned(), "NOT_ALLOWED".to_owned())]
    );
    let refused = world.try_refuse(officer, &id, None).await.unwrap();
    assert_eq!(refused.state(), pb::LegalisationState::Refused);
    let again = world.try_refuse(officer, &id, None).await;
    assert_eq!(
        reason(again),
        (Code::FailedPrecondition, "REQUEST_STATE".to_owned())
    );
}

/// A token may be five minutes old: what it says is asked anew before an act that stands.
#[tokio::test]
async fn a_role_or_session_that_has_ended_cannot_accept() {
    let world = World::start().await;
    let agent = world.official(&["agent"]);
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    world.try_claim(agent, &id).await.unwrap();
    let review = world.try_review(agent, &id).await.unwrap();
    let held = world.claims(agent, Surface::Staff);
    world.identity.revoke(agent.0);
    let accept = async || {
        let message = pb::AcceptRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.clone(),
            comparison: Some(matching(&review)),
        };
        world
            .office()
            .accept_request(with_token(message, &token(&held)))
            .await
    };
    assert_eq!(
        reason(accept().await),
        (Code::PermissionDenied, "ROLE_MISSING".to_owned())
    );
    world.identity.grant(agent.0, crate::harness::OFFICE, "agent");
    world.identity.end_sessions(agent.0);
    assert_eq!(
        reason(accept().await),
        (Code::Unauthenticated, "SESSION_ENDED".to_owned())
    );
    world.identity.set_down(true);
    assert_eq!(
        reason(accept().await),
        (Code::Unavailable, "IDENTITY_UNAVAILABLE".to_owned())
    );
}

#[tokio::test]
async fn review_pages_show_the_drawn_signature_to_the_claim_holder() {
    let world = World::start().await;
    let (agent, other) = (world.official(&["agent"]), world.official(&["agent"]));
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    world.try_claim(agent, &id).await.unwrap();
    let message = pb::RenderReviewPageRequest {
        legalisation_request_id: id,
        page_number: 1,
        region: drawn().rectangle,
        width_pixels: 320,
    };
    let answer = world
        .office()
        .render_review_page(world.as_staff(agent, message.clone()))
        .await
        .unwrap();
    let picture = image::load_from_memory(&answer.into_inner().image_png)
        .unwrap()
        .to_luma8();
    assert!(
        picture.pixels().any(|pixel| pixel.0[0] < 128),
        "the signature is in the picture"
    );
    let result = world
        .office()
        .render_review_page(world.as_staff(other, message))
        .await;
    assert_eq!(
        reason(result),
        (Code::FailedPrecondition, "CLAIMED_BY_OTHER".to_owned())
    );
}

/// The database refuses what the domain would refuse, should the domain ever be wrong.
#[tokio::test]
async fn four_eyes_hold_in_the_database() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    world.accept(agent, &id).await;
    let mut conn = world.database.connect().await;
    let broken = [
        ("UPDATE legalisation_request SET version = version + 1, agent_id = applicant_id", "four_eyes_agent"),
        (
            "UPDATE legalisation_request SET version = version + 1, state = 'AWAITING_SIGNATURE', officer_id = agent_id, intent_id = id,
             authorised_at = updated_at",
            "four_eyes_officer",
        ),
        (
            "UPDATE legalisation_request SET version = version + 1, state = 'AWAITING_SIGNATURE', officer_id = applicant_id, intent_id = id,
             authorised_at = updated_at",
            "four_eyes_officer",
        ),
        ("UPDATE legalisation_request SET version = version + 1, comparison_result = 'DIFFERS'", "accepted_matches"),
        ("UPDATE legalisation_request SET version = version + 1, compared_at = NULL", "comparison_whole"),
    ];
    for (sql, constraint) in broken {
        let error = sqlx::query(sql).execute(&mut conn).await.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().constraint(),
            Some(constraint),
            "{sql}"
        );
    }
    for sql in [
        "DELETE FROM legalisation_request",
        "DELETE FROM document",
        "UPDATE document SET size_bytes = 1",
        "DELETE FROM audit",
        "CREATE TABLE t ()",
    ] {
        let error = sqlx::query(sql).execute(&mut conn).await.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().as_deref(),
            Some("42501"),
            "{sql}"
        );
    }
}
