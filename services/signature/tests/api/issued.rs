//! Documents of another service: from the deposit to the sealed file.

use std::collections::HashSet;

use tonic::Code;
use wathiq_documents::{Engine, Standard, Template};
use wathiq_outbox::testing as outbox;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::{AGENT, OFFICER};

use crate::harness::{Person, World, reason, request_id, violations};
use crate::issuing::{code, header};
use crate::officers::Token;
use crate::{sample, tools};

/// A page as another service draws it: PDF/A with fonts.
fn drawn_page(world: &World) -> Vec<u8> {
    let template = Template::new(
        "extract.typ",
        "#set text(lang: \"fr\")\n#set document(title: \"Extrait\")\n= Extrait d'acte de naissance\nN° 12/2026",
    );
    let now = world.app.ambient.now();
    Engine::new()
        .render(
            &template,
            &serde_json::json!({}),
            &[],
            Standard::A2a,
            now,
            "urn:test",
        )
        .unwrap()
}

/// Names and messages of the events of issued documents so far.
async fn events(world: &World) -> Vec<outbox::StoredEvent> {
    let mut conn = world.database.connect().await;
    let all = outbox::events(&mut conn).await;
    all.into_iter()
        .filter(|event| event.topic == "wathiq.signature.issued-document.v1")
        .collect()
}

#[tokio::test]
async fn a_deposited_document_is_sealed_and_other_tools_agree() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let header = header();
    let document = world
        .try_deposit(header.clone(), &drawn_page(&world))
        .await
        .unwrap();
    assert_eq!(document.state(), pb::IssuedDocumentState::WaitingForOfficer);
    assert_eq!(document.owner, "civil-registry-order");
    assert_eq!(document.digest.len(), 32);
    let id = document.issued_document_id.clone();
    let unsealed = reason(world.try_download_issued(&id, false).await);
    assert_eq!(
        unsealed,
        (Code::FailedPrecondition, "DOCUMENT_NOT_SEALED".to_owned())
    );
    let (prepared, sealed) = world.try_download_issued(&id, true).await.unwrap();
    assert!(prepared.starts_with(b"%PDF-") && !sealed);
    assert_eq!(world.to_seal(officer).await, std::slice::from_ref(&document));

    let act = world.issuing(officer, std::slice::from_ref(&document), &token.pin);
    let answer = world.try_seal_issued(officer, act).await.unwrap();

    assert_eq!(answer.problems, []);
    let [sealed] = &answer.issued_documents[..] else {
        panic!("one document is answered")
    };
    assert_eq!(sealed.state(), pb::IssuedDocumentState::Sealed);
    assert_eq!(
        (sealed.level.as_str(), sealed.progress_code.as_str()),
        ("B-T", "")
    );
    assert_eq!(world.to_seal(officer).await, []);
    let (file, is_sealed) = world.try_download_issued(&id, true).await.unwrap();
    assert!(is_sealed);
    assert_eq!(tools::sha256(&file), sealed.sha256);
    tools::check_sealed(&file).await;

    let code = pb::VerifyCodeRequest {
        code: header.verification_code,
    };
    let verified = world.verification().verify_code(code).await.unwrap().into_inner();
    assert_eq!(verified.indication(), pb::Indication::TotalPassed);
    assert_eq!(verified.issued(), pb::IssuedState::AsIssued);
    let facts = verified.issued_document.unwrap();
    assert_eq!(facts.title_fr, header.title_fr);
    assert_eq!(facts.office_name_fr, "Annexe administrative Cité de l'air");
    assert_eq!(facts.document_sha256, sealed.sha256);
    assert!(verified.legalisation.is_none());
}

#[tokio::test]
async fn events_tell_of_each_step_and_the_salt_opens_the_commitment() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let documents = [world.deposited(header()).await, world.deposited(header()).await];
    let act = world.issuing(officer, &documents[..1], &token.pin);
    let sealed = world
        .try_seal_issued(officer, act)
        .await
        .unwrap()
        .issued_documents
        .remove(0);
    world
        .try_withdraw(&documents[1].issued_document_id)
        .await
        .unwrap();

    let events = events(&world).await;
    let names: Vec<&str> = events
        .iter()
        .map(|event| event.event_type.rsplit('.').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "IssuedDocumentDeposited",
            "IssuedDocumentDeposited",
            "IssuedDocumentSealed",
            "IssuedDocumentWithdrawn"
        ]
    );
    let told: pb::IssuedDocumentSealed = events[2].decode();
    assert_eq!(told.owner_reference, documents[0].owner_reference);
    assert_eq!(told.level, "B-T");
    let key = pb::get_issued_document_request::Key::OwnerReference(told.owner_reference);
    let message = pb::GetIssuedDocumentRequest { key: Some(key) };
    let got = world
        .issued()
        .get_issued_document(message)
        .await
        .unwrap()
        .into_inner();
    let salt = wathiq_signature::domain::commitment::Salt(got.commitment_salt.try_into().unwrap());
    let sha256 = sealed.sha256[..].try_into().unwrap();
    assert_eq!(told.commitments[0].commitment, salt.commit(&sha256));
}

#[tokio::test]
async fn a_repeated_deposit_is_the_same_document_and_another_one_is_refused() {
    let world = World::start().await;
    let (header, file) = (header(), sample::plain(1));
    let first = world.try_deposit(header.clone(), &file).await.unwrap();
    let again = pb::DepositHeader {
        request_id: request_id(),
        ..header.clone()
    };
    assert_eq!(world.try_deposit(header.clone(), &file).await.unwrap(), first);
    assert_eq!(world.try_deposit(again.clone(), &file).await.unwrap(), first);
    let other = reason(world.try_deposit(again, &sample::plain(2)).await);
    assert_eq!(other, (Code::AlreadyExists, "OWNER_REFERENCE_TAKEN".to_owned()));
    let other_code = pb::DepositHeader {
        owner_reference: "another".to_owned(),
        request_id: request_id(),
        ..header.clone()
    };
    let taken = reason(world.try_deposit(other_code.clone(), &file).await);
    assert_eq!(taken, (Code::AlreadyExists, "VERIFICATION_CODE_TAKEN".to_owned()));

    // What is withdrawn makes room, but never for its code.
    world.try_withdraw(&first.issued_document_id).await.unwrap();
    let anew = pb::DepositHeader {
        request_id: request_id(),
        verification_code: code(),
        ..header
    };
    let second = world.try_deposit(anew, &file).await.unwrap();
    assert_ne!(second.issued_document_id, first.issued_document_id);
    let still = reason(world.try_deposit(other_code, &file).await);
    assert_eq!(still.1, "VERIFICATION_CODE_TAKEN");
}

#[tokio::test]
async fn many_identical_deposits_at_once_are_one_document() {
    let world = World::start().await;
    let (header, file) = (header(), sample::plain(1));
    let deposits = (0..16).map(|_| {
        let header = pb::DepositHeader {
            request_id: request_id(),
            ..header.clone()
        };
        world.try_deposit(header, &file)
    });
    let answers = futures::future::join_all(deposits).await;
    let ids: HashSet<String> = answers
        .into_iter()
        .map(|answer| answer.unwrap().issued_document_id)
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(events(&world).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_deposited() {
    let world = World::start().await;
    let nothing = pb::DepositHeader {
        request_id: request_id(),
        ..Default::default()
    };
    let faults: Vec<String> = violations(world.try_deposit(nothing, &sample::plain(1)).await)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    let fields = [
        "owner_reference",
        "office_id",
        "document_kind",
        "title_ar",
        "title_fr",
        "title_en",
        "seal_mode",
        "verification_code",
    ];
    assert_eq!(faults, fields.map(|field| format!("header.{field}")));
    let empty = violations(world.try_deposit(header(), &[]).await);
    assert_eq!(empty, [("chunk".to_owned(), "FILE_EMPTY".to_owned())]);
    let large = vec![b' '; 5 * 1024 * 1024 + 1];
    let large = violations(world.try_deposit(header(), &large).await);
    assert_eq!(large, [("chunk".to_owned(), "FILE_TOO_LARGE".to_owned())]);
    let no_pdf = reason(world.try_deposit(header(), b"no pdf at all").await);
    assert_eq!(no_pdf, (Code::FailedPrecondition, "PDF_REFUSED".to_owned()));
    let script = sample::file(&[
        "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
            .to_owned(),
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_owned(),
    ]);
    let script = reason(world.try_deposit(header(), &script).await);
    assert_eq!(script, (Code::FailedPrecondition, "PDF_REFUSED".to_owned()));
    assert_eq!(events(&world).await.len(), 0);
    assert_eq!(world.count("SELECT count(*) FROM issued_document").await, 0);
    let kept = std::fs::read_dir(world.folder.path().join("objects/issued-prepared"));
    assert!(kept.map_or(0, Iterator::count) == 0, "nothing refused is kept");
}

#[tokio::test]
async fn a_withdrawn_document_is_not_sealed_and_a_sealed_one_not_withdrawn() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let mut documents = Vec::new();
    for _ in 0..3 {
        documents.push(world.deposited(header()).await);
    }
    let act = world.issuing(officer, &documents, &token.pin);
    // Withdrawn after the officer has confirmed: the others are sealed all the same.
    let withdrawn = world
        .try_withdraw(&documents[1].issued_document_id)
        .await
        .unwrap();
    assert_eq!(withdrawn.state(), pb::IssuedDocumentState::Withdrawn);
    let answer = world.try_seal_issued(officer, act).await.unwrap();
    let sealed: Vec<&str> = answer
        .issued_documents
        .iter()
        .map(|document| document.issued_document_id.as_str())
        .collect();
    assert_eq!(
        sealed,
        [&documents[0].issued_document_id, &documents[2].issued_document_id]
    );
    assert_eq!(answer.problems.len(), 1);
    assert_eq!(answer.problems[0].reason, "DOCUMENT_WITHDRAWN");

    let late = reason(world.try_withdraw(sealed[0]).await);
    assert_eq!(late, (Code::FailedPrecondition, "DOCUMENT_SEALED".to_owned()));
    let again = world
        .try_withdraw(&documents[1].issued_document_id)
        .await
        .unwrap();
    assert_eq!(again.state(), pb::IssuedDocumentState::Withdrawn);
    let gone = reason(
        world
            .try_download_issued(&documents[1].issued_document_id, true)
            .await,
    );
    assert_eq!(gone.1, "DOCUMENT_WITHDRAWN");
    let code = pb::VerifyCodeRequest {
        code: documents[1].verification_code.clone(),
    };
    let unknown = world.verification().verify_code(code).await.unwrap_err();
    assert_eq!(
        unknown.code(),
        Code::NotFound,
        "what was never sealed was never issued"
    );
}

#[tokio::test]
async fn a_changed_file_is_told_from_the_sealed_one() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let document = world.deposited(header()).await;
    let act = world.issuing(officer, std::slice::from_ref(&document), &token.pin);
    world.try_seal_issued(officer, act).await.unwrap();
    let (file, _) = world
        .try_download_issued(&document.issued_document_id, false)
        .await
        .unwrap();
    let verified = world.verify(&file).await.unwrap();
    assert_eq!(
        (verified.issued(), verified.revision, verified.indication()),
        (pb::IssuedState::AsIssued, 1, pb::Indication::TotalPassed)
    );
    assert_eq!(
        verified.issued_document.unwrap().title_en,
        "Extract of a birth act"
    );
    let mut forged = file.clone();
    let at = forged.windows(7).position(|part| part == b"Contrat").unwrap();
    forged[at..at + 7].copy_from_slice(b"Avenant");
    let verified = world.verify(&forged).await.unwrap();
    assert_eq!(
        (verified.issued(), verified.indication()),
        (pb::IssuedState::Altered, pb::Indication::TotalFailed)
    );
    assert!(verified.issued_document.is_some());
}

/// Pages of the owner's list hold every document once, in order of deposit; nobody else's.
#[tokio::test]
async fn the_owner_s_list_is_whole() {
    let world = World::start().await;
    let mut deposited = Vec::new();
    for _ in 0..5 {
        deposited.push(world.deposited(header()).await.issued_document_id);
        world.clock.advance(chrono::TimeDelta::milliseconds(1));
    }
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = pb::ListIssuedDocumentsRequest {
            page_size: 2,
            page_token,
        };
        let page = world
            .issued()
            .list_issued_documents(message)
            .await
            .unwrap()
            .into_inner();
        listed.extend(
            page.issued_documents
                .into_iter()
                .map(|document| document.issued_document_id),
        );
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    assert_eq!(listed, deposited);
}

/// Only an officer of the document's office, in a live session, sees and seals.
#[tokio::test]
async fn who_may_seal() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let document = world.deposited(header()).await;
    let documents = std::slice::from_ref(&document);
    let try_as = async |person: Person| {
        let act = world.issuing(person, documents, &token.pin);
        world.try_seal_issued(person, act).await
    };
    let agent = world.official(&[AGENT]);
    let seen = try_as(agent).await.unwrap();
    assert_eq!((seen.issued_documents.len(), seen.problems.len()), (0, 1));
    assert_eq!(seen.problems[0].reason, "ISSUED_DOCUMENT_NOT_FOUND");
    let colleague = world.official(&[OFFICER]);
    assert_eq!(reason(try_as(colleague).await).1, "CREDENTIAL_MISSING");
    world.identity.end_sessions(colleague.0);
    assert_eq!(
        reason(try_as(colleague).await),
        (Code::Unauthenticated, "SESSION_ENDED".to_owned())
    );
    assert_eq!(try_as(officer).await.unwrap().problems, []);
}

/// A document that names an officer is not sealed by another one of the office.
#[tokio::test]
async fn the_officer_whom_the_document_names_seals_it() {
    let world = World::present().await;
    let (first, second) = (Token::named("officer-1"), Token::named("officer-2"));
    let (named, other) = (world.officer(&first).await, world.officer(&second).await);
    let naming = pb::DepositHeader {
        signing_officer_person_id: named.0.to_string(),
        ..header()
    };
    let documents = [world.deposited(naming.clone()).await];
    assert_eq!(world.mine_to_seal(other).await, []);
    assert_eq!(world.mine_to_seal(named).await, documents);
    let act = world.issuing(other, &documents, &second.pin);
    let refused = world.try_seal_issued(other, act).await.unwrap();
    assert_eq!(refused.issued_documents.len(), 0);
    assert_eq!(refused.problems[0].reason, "OTHER_OFFICER_NAMED");
    let act = world.issuing(named, &documents, &first.pin);
    let sealed = world.try_seal_issued(named, act).await.unwrap();
    assert_eq!((sealed.issued_documents.len(), sealed.problems.len()), (1, 0));
    let nobody = pb::DepositHeader {
        signing_officer_person_id: "x".to_owned(),
        ..header()
    };
    let refused = violations(world.try_deposit(nobody, &sample::plain(1)).await);
    assert_eq!(refused[0].0, "header.signing_officer_person_id");
}
