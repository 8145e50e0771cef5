//! What becomes of a seal whose parts are lost or no longer sound: made again where that is possible, else given up by a person.

use chrono::TimeDelta;
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::{App, AppError, finish_seal, prepare_seal};
use wathiq_signature::domain::role::{AGENT, OFFICER};
use wathiq_signature::trust::{Trust, TrustConfig};

use crate::documents::FullStore;
use crate::harness::{Person, Stack, World, drawn, reason, request_id};
use crate::officers::{Token, uuid};
use crate::seal_interrupted::{nobodys_time_stamps, with_time_stamps, without_time_stamps};
use crate::seal_signed;

impl World {
    pub(crate) async fn try_annul(
        &self,
        officer: Person,
        intent_id: &str,
    ) -> Result<pb::RegisterEntry, Status> {
        let message = pb::AnnulIntentRequest {
            request_id: request_id(),
            intent_id: intent_id.to_owned(),
            reason: "Le fichier préparé est perdu.".to_owned(),
        };
        let answer = self
            .office()
            .annul_intent(self.as_staff(officer, message))
            .await?;
        Ok(answer.into_inner().register_entry.unwrap())
    }

    fn lose(&self, folder: &str) {
        std::fs::remove_dir_all(self.folder.path().join("objects").join(folder)).unwrap();
    }

    fn kept(&self, folder: &str) -> usize {
        walk(&self.folder.path().join("objects").join(folder))
    }
}

fn walk(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { walk(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn a_lost_prepared_file_is_made_again_from_the_frozen_recipe() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    world.signed(officer, &id, &token).await;
    world.lose("prepared");
    world
        .assert_sealed_by(&with_time_stamps(&world.app), citizen, &id)
        .await;
}

#[tokio::test]
async fn a_damaged_prepared_file_is_made_again() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    world.signed(officer, &id, &token).await;
    let key: String = sqlx::query_scalar("SELECT prepared_key FROM seal_file")
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap();
    let damaged = b"%PDF-1.7 nothing else".as_slice();
    world.app.objects.put(&key, damaged.into()).await.unwrap();
    world
        .assert_sealed_by(&with_time_stamps(&world.app), citizen, &id)
        .await;
}

#[tokio::test]
async fn what_can_never_be_finished_is_given_up_by_an_officer_who_is_not_the_applicant() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    // The applicant is an officer of the same office.
    let applicant = world.official(&[OFFICER]);
    let id = world.accepted(applicant, agent).await;
    let intent = world.signed(officer, &id, &token).await;
    let intent_id = intent.to_string();
    let signed = (Code::FailedPrecondition, "INTENT_SIGNED".to_owned());
    assert_eq!(reason(world.try_annul(officer, &intent_id).await), signed);

    world.lose("prepared");
    world.lose("documents");
    let lost = finish_seal::finish(&with_time_stamps(&world.app), intent).await;
    assert!(
        lost.unwrap_err()
            .to_string()
            .contains("the citizen's file is lost")
    );
    world.assert_waits(applicant, &id, "CANNOT_BE_FINISHED").await;
    let four_eyes = (Code::FailedPrecondition, "FOUR_EYES".to_owned());
    assert_eq!(reason(world.try_annul(applicant, &intent_id).await), four_eyes);

    let entry = world.try_annul(officer, &intent_id).await.unwrap();
    assert_eq!(entry.state(), pb::RegisterEntryState::Annulled);
    assert_eq!(entry.annulled_by_person_id, officer.0.to_string());
    let request = world.try_get(applicant, &id).await.unwrap();
    assert_eq!(request.state(), pb::LegalisationState::AgentAccepted);
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(
        finish_seal::sweep(&world.app).await.unwrap(),
        0,
        "nothing is left to do"
    );
}

/// The certificate is revoked between the key's answer and the time-stamp: the seal would not stand.
#[tokio::test]
async fn a_seal_by_a_key_revoked_before_its_time_stamp_is_never_issued() {
    let stack = Stack::get();
    let silent = TrustConfig {
        revocation_hosts: Vec::new(),
        ..stack.section(stack.trust())
    };
    // When the officer sealed, nobody could tell of the revocation, and the authority was down.
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.trust = Trust::new(&silent, app.ambient.clone()).unwrap();
        app.timestamp = nobodys_time_stamps(&app.ambient);
    })
    .await;
    let token = Token::named("officer-revoked");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let intent = world.signed(officer, &id, &token).await;
    let hearing = App {
        trust: Trust::new(&stack.section(stack.trust()), world.app.ambient.clone()).unwrap(),
        ..with_time_stamps(&world.app)
    };
    let rejected = finish_seal::finish(&hearing, intent).await.unwrap_err();
    assert!(rejected.to_string().contains("REVOKED"), "{rejected}");
    world.assert_waits(citizen, &id, "CANNOT_BE_FINISHED").await;
    world.try_annul(officer, &intent.to_string()).await.unwrap();
}

#[tokio::test]
async fn the_file_and_the_code_of_an_annulled_intent_are_withdrawn() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let original = seal_signed::signed("approval").await;
    let citizen = world.citizen();
    let id = world.accepted_file(citizen, &original.file, drawn()).await;
    let first = world.authorised(officer, std::slice::from_ref(&id)).await;
    let act = world.sealing(officer, &first, &token.pin);
    world.try_seal(officer, act).await.unwrap();
    let mut conn = world.database.connect().await;
    let (key, code): (String, String) = sqlx::query_as(
        "SELECT object_key, code FROM sealed_revision JOIN seal_intent ON seal_intent.id = intent_id",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    let file = world.app.objects.get(&key).await.unwrap();
    world.try_annul(officer, &first[0].intent_id).await.unwrap();

    let verdict = world.verify(&file).await.unwrap();
    assert_eq!(
        (verdict.issued(), verdict.revision),
        (pb::IssuedState::Withdrawn, 1)
    );
    let facts = verdict.legalisation.unwrap();
    assert_eq!(facts.register_state(), pb::RegisterEntryState::Annulled);
    let message = pb::VerifyCodeRequest { code };
    let behind = world
        .verification()
        .verify_code(message)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(behind.issued(), pb::IssuedState::Withdrawn);

    // Sealed anew, the request has another code; the old file stays withdrawn.
    let again = world.authorised(officer, std::slice::from_ref(&id)).await;
    let act = world.sealing(officer, &again, &token.pin);
    world.try_seal(officer, act).await.unwrap();
    let page = world.intents(officer).await;
    let act = world.sealing(officer, &page, &token.pin);
    world.try_seal(officer, act).await.unwrap();
    let verdict = world.verify(&file).await.unwrap();
    assert_eq!(verdict.issued(), pb::IssuedState::Withdrawn);
    assert!(verdict.legalisation.unwrap().seal_time.is_none());
    let issued = world.download(citizen, &id, pb::SealedFileKind::Document).await;
    assert_eq!(
        world.verify(&issued).await.unwrap().issued(),
        pb::IssuedState::AsIssued
    );
}

#[tokio::test]
async fn a_full_disk_delays_each_step_and_loses_nothing() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let objects = world.folder.path().join("objects");

    let full = FullStore::mount(&objects.join("prepared"));
    let intent = world
        .try_authorise(officer, std::slice::from_ref(&id))
        .await
        .unwrap()
        .intents
        .remove(0);
    assert_eq!(
        (intent.progress_code.as_str(), intent.digests.len()),
        ("PREPARING", 0)
    );
    full.unmount();
    world.clock.advance(TimeDelta::seconds(30));
    finish_seal::sweep(&world.app).await.unwrap();

    let full = FullStore::mount(&objects.join("sealed"));
    let intents = world.intents(officer).await;
    assert_eq!(intents[0].progress_code, "WAITING_FOR_OFFICER");
    let act = world.sealing(officer, &intents, &token.pin);
    let answer = world.try_seal(officer, act).await.unwrap();
    assert_eq!(answer.problems, []);
    assert_eq!(
        answer.legalisation_requests[0].state(),
        pb::LegalisationState::AwaitingSignature
    );
    full.unmount();
    assert_eq!(world.kept("sealed"), 0);
    world.assert_sealed_by(&world.app, citizen, &id).await;
}

/// The database goes away between the steps: each says so, and the next try goes on where the last one ended.
#[tokio::test]
async fn a_database_that_is_down_delays_each_step_and_loses_nothing() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let down = |app: &App| App {
        pool: crate::dependencies::nowhere().pool().unwrap(),
        ..with_time_stamps(app)
    };
    let intents = world.authorised(officer, std::slice::from_ref(&id)).await;
    let intent: Uuid = uuid(&intents[0].intent_id);
    let unreachable = prepare_seal::prepare(&down(&world.app), intent).await;
    let status = Status::from(unreachable.unwrap_err());
    assert_eq!(
        reason(Err::<(), _>(status)),
        (Code::Unavailable, "DATABASE_UNAVAILABLE".to_owned())
    );
    let act = world.sealing(officer, &intents, &token.pin);
    world.try_seal(officer, act).await.unwrap();
    let unreachable = finish_seal::finish(&down(&world.app), intent).await.unwrap_err();
    assert!(matches!(
        unreachable,
        finish_seal::FinishError::App(AppError::Store(_))
    ));
    assert!(finish_seal::sweep(&down(&world.app)).await.is_err());
    world
        .assert_sealed_by(&with_time_stamps(&world.app), citizen, &id)
        .await;
}
