//! Seals of issued documents that meet with trouble: nothing is lost, nothing is done twice.

use std::sync::Arc;

use tonic::Code;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::sweep_seals::sweep_seals;
use wathiq_signature::app::{App, finish_issued};
use wathiq_signature::domain::role::OFFICER;
use wathiq_signature::trust::{Trust, TrustConfig};

use crate::harness::{Stack, World, reason, request_id};
use crate::issuing::header;
use crate::officers::Token;
use crate::seal_interrupted::{with_time_stamps, without_time_stamps};
use crate::tools;

const FIFTEEN_MINUTES: chrono::TimeDelta = chrono::TimeDelta::minutes(15);

impl World {
    /// The job of another process, to which the authority answers, after every pause.
    async fn finish_issued(&self) -> usize {
        let other = Arc::new(with_time_stamps(&self.app));
        finish_issued::sweep(&other).await.unwrap()
    }
}

#[tokio::test]
async fn a_wrong_pin_costs_nothing_and_the_same_act_goes_on_with_the_right_one() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let document = world.deposited(header()).await;
    let act = world.issuing(officer, &[document], "0000");
    let refused = reason(world.try_seal_issued(officer, act.clone()).await);
    assert_eq!(refused, (Code::FailedPrecondition, "PIN_INCORRECT".to_owned()));
    assert_eq!(world.count("SELECT count(*) FROM issued_act").await, 1);
    let right = pb::SealIssuedDocumentsRequest {
        pin: token.pin.clone(),
        ..act.clone()
    };
    let answer = world.try_seal_issued(officer, right.clone()).await.unwrap();
    assert_eq!(
        answer.issued_documents[0].state(),
        pb::IssuedDocumentState::Sealed
    );
    assert_eq!(world.identity.redemptions(), 1);
    // The same confirmation in another call.
    let again = pb::SealIssuedDocumentsRequest {
        request_id: request_id(),
        ..right
    };
    assert_eq!(
        reason(world.try_seal_issued(officer, again).await).1,
        "CONFIRMATION_USED"
    );
}

#[tokio::test]
async fn without_time_stamps_documents_wait_and_are_finished_by_the_job() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let documents = [world.deposited(header()).await, world.deposited(header()).await];
    let act = world.issuing(officer, &documents, &token.pin);
    let answer = world.try_seal_issued(officer, act.clone()).await.unwrap();
    for document in &answer.issued_documents {
        assert_eq!(document.state(), pb::IssuedDocumentState::Signed);
        assert_eq!(document.progress_code, "WAITING_FOR_TIME_STAMP");
    }
    let late = reason(world.try_withdraw(&documents[0].issued_document_id).await);
    assert_eq!(late.1, "DOCUMENT_SEALED", "what the key has signed stands");
    assert_eq!(world.finish_issued().await, 0, "not due yet");
    world.clock.advance(chrono::TimeDelta::seconds(6));
    assert_eq!(world.finish_issued().await, 2);
    assert_eq!(world.finish_issued().await, 0);
    for document in &documents {
        let sealed = world.issued_document(&document.issued_document_id).await;
        assert_eq!(sealed.state(), pb::IssuedDocumentState::Sealed);
    }
    let (file, _) = world
        .try_download_issued(&documents[0].issued_document_id, false)
        .await
        .unwrap();
    tools::check_sealed(&file).await;
    assert_eq!(
        world
            .count("SELECT count(*) FROM outbox WHERE event_type LIKE '%IssuedDocumentSealed'")
            .await,
        2
    );
}

#[tokio::test]
async fn many_processes_that_finish_at_once_give_one_seal_each() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let documents = [world.deposited(header()).await, world.deposited(header()).await];
    let act = world.issuing(officer, &documents, &token.pin);
    world.try_seal_issued(officer, act).await.unwrap();
    for _ in 0..4 {
        // Each sees the same due documents, as if every lease had run out at once.
        sqlx::query(
            "UPDATE issued_document SET next_attempt_at = '2026-01-01T00:00:00Z' WHERE state = 'SIGNED'",
        )
        .execute(&mut world.database.connect().await)
        .await
        .unwrap();
        world.finish_issued().await;
    }
    let sealed = "SELECT count(*) FROM outbox WHERE event_type LIKE '%IssuedDocumentSealed'";
    assert_eq!(world.count(sealed).await, 2);
}

/// A prepared file that is lost cannot be made again: after a few looks its owner hears of it and may deposit anew.
#[tokio::test]
async fn what_cannot_be_finished_fails_in_the_end() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let header = header();
    let document = world.deposited(header.clone()).await;
    let act = world.issuing(officer, std::slice::from_ref(&document), &token.pin);
    world.try_seal_issued(officer, act).await.unwrap();
    let folder = world.folder.path().join("objects/issued-prepared");
    for entry in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let id = &document.issued_document_id;
    for _ in 0..2 {
        world.clock.advance(FIFTEEN_MINUTES);
        world.finish_issued().await;
        let waiting = world.issued_document(id).await;
        assert_eq!(waiting.progress_code, "CANNOT_BE_FINISHED");
    }
    world.clock.advance(FIFTEEN_MINUTES);
    world.finish_issued().await;
    let failed = world.issued_document(id).await;
    assert_eq!(failed.state(), pb::IssuedDocumentState::Failed);
    let told = "SELECT count(*) FROM outbox WHERE event_type LIKE '%IssuedDocumentFailed'";
    assert_eq!(world.count(told).await, 1);
    let anew = pb::DepositHeader {
        request_id: request_id(),
        verification_code: crate::issuing::code(),
        ..header
    };
    let second = world.deposited(anew).await;
    assert_eq!(second.state(), pb::IssuedDocumentState::WaitingForOfficer);
}

/// Revoked before the key signed, which nobody could tell then: what is learnt while the seal waits, ends it.
#[tokio::test]
async fn a_certificate_that_turns_out_to_be_revoked_issues_nothing() {
    let stack = Stack::get();
    let silent = TrustConfig {
        revocation_hosts: Vec::new(),
        ..stack.section(stack.trust())
    };
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.trust = Trust::new(&silent, app.ambient.clone()).unwrap();
    })
    .await;
    let token = Token::named("officer-revoked");
    let officer = world.officer(&token).await;
    let document = world.deposited(header()).await;
    let id = document.issued_document_id.clone();
    let act = world.issuing(officer, &[document], &token.pin);
    let answer = world.try_seal_issued(officer, act).await.unwrap();
    assert_eq!(
        answer.issued_documents[0].progress_code,
        "WAITING_FOR_REVOCATION_DATA"
    );
    let hearing = Arc::new(App {
        trust: Trust::new(&stack.section(stack.trust()), world.app.ambient.clone()).unwrap(),
        ..with_time_stamps(&world.app)
    });
    for expected in ["CANNOT_BE_FINISHED", "CANNOT_BE_FINISHED", ""] {
        world.clock.advance(FIFTEEN_MINUTES);
        finish_issued::sweep(&hearing).await.unwrap();
        assert_eq!(world.issued_document(&id).await.progress_code, expected);
    }
    assert_eq!(
        world.issued_document(&id).await.state(),
        pb::IssuedDocumentState::Failed
    );
    let next = world.deposited(header()).await;
    let act = world.issuing(officer, &[next], &token.pin);
    let refused = reason(world.try_seal_issued(officer, act).await);
    assert_eq!(refused.1, "CREDENTIAL_REVOKED", "it is known now, here too");
}

/// Files that no row needs any more are swept away; those of waiting and sealed documents stay.
#[tokio::test]
async fn only_needless_files_are_swept() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let mut documents = Vec::new();
    for _ in 0..3 {
        documents.push(world.deposited(header()).await);
    }
    let act = world.issuing(officer, &documents[..1], &token.pin);
    world.try_seal_issued(officer, act).await.unwrap();
    world
        .try_withdraw(&documents[1].issued_document_id)
        .await
        .unwrap();
    for orphan in ["issued-prepared/orphan.pdf", "issued/orphan.pdf"] {
        world.app.objects.put(orphan, "left behind".into()).await.unwrap();
    }
    assert_eq!(sweep_seals(&world.app).await.unwrap(), 0, "they are young");
    world.clock.advance(chrono::TimeDelta::hours(2));
    let swept = sweep_seals(&world.app).await.unwrap();
    assert_eq!(
        swept, 4,
        "two orphans, the prepared files of the sealed and of the withdrawn"
    );
    world
        .try_download_issued(&documents[0].issued_document_id, false)
        .await
        .unwrap();
    world
        .try_download_issued(&documents[2].issued_document_id, true)
        .await
        .unwrap();
}

/// Largest batch: one confirmation, one log-in, and not a file opened by a worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_documents_are_one_act() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let mut documents = Vec::new();
    for _ in 0..200 {
        documents.push(world.deposited(header()).await);
    }
    let act = world.issuing(officer, &documents, &token.pin);
    let answer = world.try_seal_issued(officer, act).await.unwrap();
    assert_eq!((answer.issued_documents.len(), answer.problems.len()), (200, 0));
    while world
        .count("SELECT count(*) FROM issued_document WHERE state = 'SIGNED'")
        .await
        > 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(
        world
            .count("SELECT count(DISTINCT sha256) FROM issued_document WHERE state = 'SEALED'")
            .await,
        200
    );
    let another = world.official(&[OFFICER]);
    assert_eq!(world.to_seal(another).await, []);
}
