//! Confirming a request, and what its office takes for it.

use std::time::Duration;

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_chassis::testing::{token, with_token};
use wathiq_chassis::{Assurance, CallContext, Surface};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::confirm_request::confirm_request;
use wathiq_signature::clients::identity::Purpose;

use crate::harness::{OFFICE, Person, World, drawn, id_of, reason, request_id, standing, violations};

fn fault(field: &str, reason: &str) -> (String, String) {
    (field.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn confirming_needs_a_proved_person_with_a_specimen() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.placed(citizen).await.legalisation_request_id;
    let confirmation_id = world.confirmation(citizen, &id).await;
    world.identity.set_proved(citizen.0, false);
    assert_eq!(
        reason(confirm_with_an_old_token(&world, citizen, &id, &confirmation_id).await),
        (Code::FailedPrecondition, "PERSON_NOT_PROVED".to_owned())
    );

    world.identity.remove_specimens(citizen.0);
    let result = world.try_confirm(citizen, &id, &confirmation_id).await;
    assert_eq!(
        reason(result),
        (Code::FailedPrecondition, "SPECIMEN_MISSING".to_owned())
    );
    assert_eq!(world.identity.redemptions(), 0);
    world.identity.add_specimen(citizen.0, 1);
    world.try_confirm(citizen, &id, &confirmation_id).await.unwrap();
}

/// Confirms with a token that was made before identity was proved.
async fn confirm_with_an_old_token(
    world: &World,
    citizen: Person,
    id: &str,
    confirmation_id: &str,
) -> Result<pb::LegalisationRequest, tonic::Status> {
    let message = pb::ConfirmLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.to_owned(),
        confirmation_id: confirmation_id.to_owned(),
    };
    let mut claims = world.claims(citizen, Surface::Citizen);
    claims.assurance = Assurance::Claimed;
    let answer = world
        .legalisation()
        .confirm_legalisation_request(with_token(message, &token(&claims)))
        .await?;
    Ok(answer.into_inner().legalisation_request.unwrap())
}

/// Whoever has just been proved at an office need not sign in again.
#[tokio::test]
async fn a_proof_counts_before_the_token_knows_of_it() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.placed(citizen).await.legalisation_request_id;
    let confirmation_id = world.confirmation(citizen, &id).await;
    world.identity.set_proved(citizen.0, false);
    confirm_with_an_old_token(&world, citizen, &id, &confirmation_id)
        .await
        .unwrap_err();
    world.identity.set_proved(citizen.0, true);
    let request = confirm_with_an_old_token(&world, citizen, &id, &confirmation_id)
        .await
        .unwrap();
    assert_eq!(request.state(), pb::LegalisationState::Submitted);

    let other = world.placed(citizen).await.legalisation_request_id;
    let confirmation_id = world.confirmation(citizen, &other).await;
    world.identity.end_sessions(citizen.0);
    assert_eq!(
        reason(confirm_with_an_old_token(&world, citizen, &other, &confirmation_id).await),
        (Code::Unauthenticated, "SESSION_ENDED".to_owned())
    );
}

#[tokio::test]
async fn a_confirmation_is_for_exactly_what_was_shown() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.placed(citizen).await.legalisation_request_id;
    let mismatch = (Code::FailedPrecondition, "CONFIRMATION_MISMATCH".to_owned());

    let confirmation_id = world.confirmation(citizen, &id).await;
    world.try_place(citizen, &id, standing()).await.unwrap();
    assert_eq!(
        reason(world.try_confirm(citizen, &id, &confirmation_id).await),
        mismatch
    );
    world.try_place(citizen, &id, drawn()).await.unwrap();
    world.identity.add_specimen(citizen.0, 2);
    assert_eq!(
        reason(world.try_confirm(citizen, &id, &confirmation_id).await),
        mismatch
    );

    let for_seal = world
        .identity
        .confirm(citizen.0, Purpose::Seal, vec![[0; 32]])
        .to_string();
    assert_eq!(reason(world.try_confirm(citizen, &id, &for_seal).await), mismatch);
    let unknown = world.try_confirm(citizen, &id, &Uuid::new_v4().to_string()).await;
    assert_eq!(
        reason(unknown),
        (Code::NotFound, "CONFIRMATION_NOT_FOUND".to_owned())
    );
    let fresh = world.confirmation(citizen, &id).await;
    let submitted = world.try_confirm(citizen, &id, &fresh).await.unwrap();
    assert_eq!(submitted.state(), pb::LegalisationState::Submitted);
    let again = world.try_confirm(citizen, &id, &fresh).await;
    assert_eq!(
        reason(again),
        (Code::FailedPrecondition, "REQUEST_STATE".to_owned())
    );
}

/// The process died after identity gave the record and before the transaction: the same confirmation still works.
#[tokio::test]
async fn a_redeemed_confirmation_is_not_lost_by_a_crash() {
    let world = World::start().await;
    let citizen = world.citizen();
    let request = world.placed(citizen).await;
    let id = request.legalisation_request_id.clone();
    let confirmation_id = world.confirmation(citizen, &id).await;
    let mut blocker = world.database.connect().await;
    sqlx::query("BEGIN").execute(&mut blocker).await.unwrap();
    sqlx::query("SELECT FROM legalisation_request FOR UPDATE")
        .execute(&mut blocker)
        .await
        .unwrap();

    let claims = world.claims(citizen, Surface::Citizen);
    let caller = wathiq_chassis::testing::caller(&claims);
    let method = "/wathiq.signature.v1.LegalisationService/ConfirmLegalisationRequest";
    let command = wathiq_outbox::Command::new("person:x", method, Uuid::new_v4(), &());
    let confirming = confirm_request(
        &world.app,
        &caller,
        &command,
        id_of(&request),
        confirmation_id.parse().unwrap(),
        |_| Vec::new(),
    );
    let context = CallContext::new(Duration::from_secs(10), "test").with_bearer(token(&claims).into());
    let redeemed = async {
        while world.identity.redemptions() == 0 {
            tokio::task::yield_now().await;
        }
    };
    // The future is dropped where it waits for the row: nothing of the transaction is left.
    tokio::select! {
        done = context.scope(confirming) => panic!("the row is locked, and still: {done:?}"),
        () = redeemed => {}
    }
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    assert_eq!(
        world.try_get(citizen, &id).await.unwrap().state(),
        pb::LegalisationState::SignaturePlaced
    );
    // Another request id, as after a reload of the page.
    let submitted = world.try_confirm(citizen, &id, &confirmation_id).await.unwrap();
    assert_eq!(submitted.state(), pb::LegalisationState::Submitted);
    assert_eq!(world.identity.redemptions(), 1);
}

#[tokio::test]
async fn where_the_office_takes_a_fee_the_request_waits() {
    let world = World::start().await;
    let administrator = world.official(&["administrator"]);
    world.try_set_fee(administrator, 200, None).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    let citizen = world.citizen();
    let waiting = world.submitted(citizen).await;
    assert_eq!(waiting.state(), pb::LegalisationState::AwaitingPayment);
    assert_eq!(waiting.fee_centimes, 200);
    assert_eq!(waiting.receipt, None);

    let message = pb::GetCatalogueRequest {
        office_id: OFFICE.to_string(),
    };
    let catalogue = world
        .legalisation()
        .get_catalogue(message)
        .await
        .unwrap()
        .into_inner();
    let fee = |code: &str| {
        catalogue
            .document_kinds
            .iter()
            .find(|kind| kind.code == code)
            .unwrap()
            .fee_centimes
    };
    assert_eq!((fee("contract"), fee("lease")), (200, 0));
    let refused = catalogue
        .document_kinds
        .iter()
        .find(|kind| kind.code == "procuration_real_estate")
        .unwrap();
    assert_eq!(refused.refused_reason, "REAL_ESTATE_PROCURATION");
}

#[tokio::test]
async fn fees_are_dated_and_the_administrator_s_alone() {
    let world = World::start().await;
    let administrator = world.official(&["administrator"]);
    let agent = world.official(&["agent"]);
    let at = |text: &str| {
        let at: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
        Some(prost_types::Timestamp {
            seconds: at.timestamp(),
            nanos: 0,
        })
    };
    assert_eq!(
        reason(world.try_set_fee(agent, 100, None).await),
        (Code::NotFound, "OFFICE_NOT_FOUND".to_owned())
    );
    let past = world
        .try_set_fee(administrator, 100, at("2026-11-22T00:00:00Z"))
        .await;
    assert_eq!(violations(past), [fault("from_time", "FROM_TIME_PAST")]);
    assert_eq!(
        violations(world.try_set_fee(administrator, -1, None).await),
        [fault("fee_centimes", "OUT_OF_RANGE")]
    );
    world
        .try_set_fee(administrator, 300, at("2026-12-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(world.drafted(world.citizen()).await.fee_centimes, 0);
    world.clock.set("2026-12-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.drafted(world.citizen()).await.fee_centimes, 300);

    world.identity.revoke(administrator.0);
    let mut claims = world.claims(administrator, Surface::Staff);
    claims.grants = vec![wathiq_chassis::Grant {
        office_id: OFFICE,
        role: "administrator".to_owned(),
    }];
    let message = pb::SetFeeRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        document_kind: "contract".to_owned(),
        ..Default::default()
    };
    let result = world.office().set_fee(with_token(message, &token(&claims))).await;
    assert_eq!(
        reason(result),
        (Code::PermissionDenied, "ROLE_MISSING".to_owned())
    );
}
