//! From the officer's intent to the sealed file.

use std::collections::HashSet;

use wathiq_chassis::Surface;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::clients::identity::Purpose;
use wathiq_signature::domain::role::{ADMINISTRATOR, AGENT, OFFICER};

use crate::harness::{OFFICE, World, reason, request_id, standing, with_token};
use crate::officers::Token;
use crate::{sample, tools};

#[tokio::test]
async fn a_request_is_sealed_and_delivered_and_other_tools_agree() {
    let world = World::present().await;
    for label in ["officer-1", "officer-2"] {
        let token = Token::named(label);
        let (citizen, agent) = (world.citizen(), world.official(&[AGENT]));
        let officer = world.officer(&token).await;
        let id = world.accepted(citizen, agent).await;

        let intents = world.authorised(officer, std::slice::from_ref(&id)).await;
        assert_eq!(intents[0].progress_code, "WAITING_FOR_OFFICER");
        assert_eq!(intents[0].digests.len(), 1);
        let answer = world
            .try_seal(officer, world.sealing(officer, &intents, &token.pin))
            .await
            .unwrap();

        assert_eq!(answer.problems, []);
        let [request] = &answer.legalisation_requests[..] else {
            panic!("one request is answered")
        };
        assert_eq!(request.state(), pb::LegalisationState::Delivered);
        assert_eq!(
            request.register_entry.as_ref().unwrap().state(),
            pb::RegisterEntryState::Sealed
        );
        assert_eq!(request.progress_code, "");
        let [listed] = &request.files[..] else {
            panic!("one file is sealed")
        };
        let file = world.download(citizen, &id, pb::SealedFileKind::Document).await;
        assert_eq!(file.len() as u64, listed.size_bytes);
        assert_eq!(tools::sha256(&file), listed.sha256);
        tools::check_sealed(&file).await;
        let text = tools::text_of(&file).await;
        assert!(
            text.contains(&request.verification_code),
            "the page prints the code"
        );
    }
}

#[tokio::test]
async fn a_batch_is_sealed_with_one_confirmation() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.accepted(world.citizen(), agent).await);
    }
    let redeemed = world.identity.redemptions();
    let requests = world.sealed(officer, &token, &ids).await;
    assert_eq!(world.identity.redemptions(), redeemed + 1);
    let sealed: Vec<&str> = requests
        .iter()
        .map(|request| request.legalisation_request_id.as_str())
        .collect();
    assert_eq!(sealed, ids);
    let codes: HashSet<&str> = requests
        .iter()
        .map(|request| request.verification_code.as_str())
        .collect();
    assert_eq!(codes.len(), 3);
    let numbers: Vec<i32> = world
        .register(officer)
        .await
        .iter()
        .map(|entry| entry.number)
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn a_wrong_pin_costs_nothing_and_the_same_act_goes_on_with_the_right_one() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let id = world.accepted(world.citizen(), agent).await;
    let intents = world.authorised(officer, std::slice::from_ref(&id)).await;
    let act = world.sealing(officer, &intents, "0000");

    let refused = reason(world.try_seal(officer, act.clone()).await);
    assert_eq!(
        refused,
        (tonic::Code::FailedPrecondition, "PIN_INCORRECT".to_owned())
    );
    assert_eq!(
        world.intents(officer).await[0].digests,
        intents[0].digests,
        "the officer is asked for the same again"
    );
    let trace: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE action = 'seal.sign' AND reason = 'PIN_INCORRECT'",
    )
    .fetch_one(&mut world.database.connect().await)
    .await
    .unwrap();
    assert_eq!(trace, 1);

    let answer = world
        .try_seal(
            officer,
            pb::SealRequest {
                pin: token.pin.clone(),
                ..act
            },
        )
        .await
        .unwrap();
    assert_eq!(
        answer.legalisation_requests[0].state(),
        pb::LegalisationState::Delivered
    );
}

#[tokio::test]
async fn without_pin_or_confirmation_the_key_cannot_be_used() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let ids = [
        world.accepted(world.citizen(), agent).await,
        world.accepted(world.citizen(), agent).await,
    ];
    let intents = world.authorised(officer, &ids).await;
    let act = |intents: &[pb::SealIntent]| world.sealing(officer, intents, &token.pin);

    let no_pin = pb::SealRequest {
        pin: String::new(),
        ..act(&intents)
    };
    assert_eq!(
        world.try_seal(officer, no_pin).await.unwrap_err().code(),
        tonic::Code::InvalidArgument
    );
    let no_confirmation = pb::SealRequest {
        confirmation_id: uuid::Uuid::new_v4().to_string(),
        ..act(&intents)
    };
    assert_eq!(
        world.try_seal(officer, no_confirmation).await.unwrap_err().code(),
        tonic::Code::NotFound
    );
    // A confirmation of one of the two documents, and one by another person.
    let of_one = pb::SealRequest {
        confirmation_id: act(&intents[..1]).confirmation_id,
        ..act(&intents)
    };
    assert_eq!(
        reason(world.try_seal(officer, of_one).await).1,
        "CONFIRMATION_MISMATCH"
    );
    let other = world.official(&[OFFICER]);
    let of_other = pb::SealRequest {
        confirmation_id: world.sealing(other, &intents, "").confirmation_id,
        ..act(&intents)
    };
    assert_eq!(
        reason(world.try_seal(officer, of_other).await).1,
        "CONFIRMATION_MISMATCH"
    );
    // A used one, in another call.
    let used = act(&intents[..1]);
    world.try_seal(officer, used.clone()).await.unwrap();
    let again = pb::SealRequest {
        request_id: request_id(),
        ..used
    };
    assert_eq!(
        reason(world.try_seal(officer, again).await).1,
        "CONFIRMATION_USED"
    );

    let values: i64 = sqlx::query_scalar("SELECT count(*) FROM seal_file WHERE signature_value IS NOT NULL")
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap();
    assert_eq!(values, 1, "the key signed what was confirmed, once");
}

#[tokio::test]
async fn only_the_officer_of_the_intent_seals_and_only_while_holding_the_role() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let id = world.accepted(world.citizen(), agent).await;
    let intents = world.authorised(officer, std::slice::from_ref(&id)).await;

    let colleague = world.official(&[OFFICER]);
    let answer = world
        .try_seal(colleague, world.sealing(colleague, &intents, &token.pin))
        .await
        .unwrap();
    assert_eq!(answer.problems[0].reason, "SEAL_INTENT_NOT_FOUND");
    assert_eq!(answer.legalisation_requests, []);

    // The token still names the role, identity does not any more.
    let claims = world.claims(officer, Surface::Staff);
    world.identity.revoke(officer.0);
    let act = world.sealing(officer, &intents, &token.pin);
    let late = with_token(act.clone(), &wathiq_chassis::testing::token(&claims));
    assert_eq!(
        reason(world.office().seal(late).await),
        (tonic::Code::PermissionDenied, "ROLE_MISSING".to_owned())
    );
    world.identity.grant(officer.0, OFFICE, OFFICER);
    world.identity.end_sessions(officer.0);
    assert_eq!(reason(world.try_seal(officer, act).await).1, "SESSION_ENDED");
}

#[tokio::test]
async fn four_eyes_hold_for_each_request_of_a_batch() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let administrator = world.official(&[ADMINISTRATOR]);
    let both = world.holder(&token, &[AGENT, OFFICER]);
    world.try_register(administrator, both, &token).await.unwrap();
    let agent = world.official(&[AGENT]);
    let own_comparison = world.accepted(world.citizen(), both).await;
    let own_request = world.accepted(both, agent).await;
    let fine = world.accepted(world.citizen(), agent).await;

    let ids = [own_comparison.clone(), own_request.clone(), fine.clone()];
    let answer = world.try_authorise(both, &ids).await.unwrap();
    let problems: Vec<(&str, &str)> = answer
        .problems
        .iter()
        .map(|p| (p.legalisation_request_id.as_str(), p.reason.as_str()))
        .collect();
    assert_eq!(
        problems,
        [
            (own_comparison.as_str(), "FOUR_EYES"),
            (own_request.as_str(), "FOUR_EYES")
        ]
    );
    assert_eq!(answer.intents.len(), 1);
    assert_eq!(
        answer.intents[0].register_entry.as_ref().unwrap().number,
        1,
        "a refusal takes no number"
    );
}

#[tokio::test]
async fn an_expired_certificate_and_a_missing_one_authorise_nothing() {
    let world = World::present().await;
    let (agent, administrator) = (world.official(&[AGENT]), world.official(&[ADMINISTRATOR]));
    let officer = world.holder(&Token::named("officer-1"), &[OFFICER]);
    let id = world.accepted(world.citizen(), agent).await;
    let ids = std::slice::from_ref(&id);
    assert_eq!(
        reason(world.try_authorise(officer, ids).await).1,
        "CREDENTIAL_MISSING"
    );
    let expired = world
        .try_register(administrator, officer, &Token::named("officer-expired"))
        .await;
    assert_eq!(reason(expired).1, "CREDENTIAL_EXPIRED");

    let token = Token::named("officer-1");
    let credential = world.try_register(administrator, officer, &token).await.unwrap();
    let intents = world.authorised(officer, ids).await;
    let end = credential.not_after.unwrap();
    world
        .clock
        .set(chrono::DateTime::from_timestamp(end.seconds + 1, 0).unwrap());
    let late = world
        .try_seal(officer, world.sealing(officer, &intents, &token.pin))
        .await;
    assert_eq!(reason(late).1, "CREDENTIAL_EXPIRED");
}

#[tokio::test]
async fn a_key_that_is_not_the_certificates_is_found() {
    let world = World::present().await;
    let administrator = world.official(&[ADMINISTRATOR]);
    let officer = world.holder(&Token::named("officer-1"), &[OFFICER]);
    let mixed = Token {
        label: "officer-revoked".to_owned(),
        ..Token::named("officer-1")
    };
    assert_eq!(
        reason(world.try_register(administrator, officer, &mixed).await).1,
        "KEY_MISMATCH"
    );
    let registered = world
        .try_register(administrator, officer, &Token::named("officer-1"))
        .await
        .unwrap();
    assert!(!registered.certificate.is_empty());
    let twice = world
        .try_register(administrator, officer, &Token::named("officer-1"))
        .await;
    assert_eq!(
        reason(twice),
        (tonic::Code::AlreadyExists, "CREDENTIAL_EXISTS".to_owned())
    );
    let refused = world
        .try_register(officer, officer, &Token::named("officer-2"))
        .await;
    assert_eq!(
        refused.unwrap_err().code(),
        tonic::Code::NotFound,
        "officers do not register keys"
    );
}

#[tokio::test]
async fn batches_have_bounds() {
    let world = World::present().await;
    let officer = world.official(&[OFFICER]);
    let many: Vec<String> = (0..201).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let violations = crate::harness::violations(world.try_authorise(officer, &many).await);
    assert_eq!(
        violations,
        [("legalisation_request_ids".to_owned(), "COUNT".to_owned())]
    );
    let twice = [many[0].clone(), many[0].clone()];
    let violations = crate::harness::violations(world.try_authorise(officer, &twice).await);
    assert_eq!(
        violations,
        [("legalisation_request_ids[1]".to_owned(), "DUPLICATE".to_owned())]
    );
    let act = pb::SealRequest {
        request_id: request_id(),
        intent_ids: many,
        confirmation_id: world
            .identity
            .confirm(officer.0, Purpose::Seal, vec![])
            .to_string(),
        pin: "1234".to_owned(),
    };
    assert_eq!(
        crate::harness::violations(world.try_seal(officer, act).await)[0].0,
        "intent_ids"
    );
}

#[tokio::test]
async fn a_revoked_certificate_is_not_registered() {
    let world = World::present().await;
    let token = Token::named("officer-revoked");
    let administrator = world.official(&[ADMINISTRATOR]);
    let officer = world.holder(&token, &[OFFICER]);
    assert_eq!(
        reason(world.try_register(administrator, officer, &token).await),
        (tonic::Code::FailedPrecondition, "CREDENTIAL_REVOKED".to_owned())
    );
    assert_eq!(world.count("SELECT count(*) FROM signing_credential").await, 0);
}

#[tokio::test]
async fn without_the_token_the_seal_can_be_tried_again() {
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        let gone = wathiq_signature::keys::KeysConfig {
            module: "/nonexistent/module.so".into(),
            call_seconds: 10,
        };
        app.keys = wathiq_signature::keys::Keys::new(&gone);
    })
    .await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let id = world.accepted(world.citizen(), agent).await;
    let intents = world.authorised(officer, std::slice::from_ref(&id)).await;
    let act = world.sealing(officer, &intents, &token.pin);
    for _ in 0..2 {
        let refused = reason(world.try_seal(officer, act.clone()).await);
        assert_eq!(refused, (tonic::Code::Unavailable, "KEY_UNAVAILABLE".to_owned()));
    }
    assert_eq!(
        world.intents(officer).await[0].progress_code,
        "WAITING_FOR_OFFICER"
    );
}

#[tokio::test]
async fn a_label_that_no_token_has_is_told() {
    let world = World::present().await;
    let token = Token {
        label: "elsewhere".to_owned(),
        ..Token::named("officer-1")
    };
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let id = world.accepted(world.citizen(), agent).await;
    let intents = world.authorised(officer, std::slice::from_ref(&id)).await;
    let refused = world
        .try_seal(officer, world.sealing(officer, &intents, &token.pin))
        .await;
    assert_eq!(reason(refused).1, "KEY_UNAVAILABLE");
}

#[tokio::test]
async fn the_page_names_mandatary_and_destination() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (citizen, agent) = (world.citizen(), world.official(&[AGENT]));
    let officer = world.officer(&token).await;
    let administration = uuid::Uuid::from_u128(0xad);
    world.identity.add_administration(administration, true);
    let document = world.upload(citizen, &sample::plain(3)).await;
    let opening = pb::CreateLegalisationRequestRequest {
        document_kind: "procuration".to_owned(),
        mandatary: Some(pb::Mandatary {
            name_latin: "Youssef Benali".to_owned(),
            name_arabic: "يوسف بنعلي".to_owned(),
            identity_document_number: "K401223".to_owned(),
            address: "12, rue des Orangers, Rabat".to_owned(),
        }),
        destination: Some(pb::Destination {
            kind: pb::DestinationKind::EnrolledAdministration.into(),
            administration_id: administration.to_string(),
            name: String::new(),
        }),
        ..world.opening(&document)
    };
    let opened = world
        .legalisation()
        .create_legalisation_request(world.as_citizen(citizen, opening))
        .await;
    let id = opened
        .unwrap()
        .into_inner()
        .legalisation_request
        .unwrap()
        .legalisation_request_id;
    world.try_place(citizen, &id, standing()).await.unwrap();
    let confirmation = world.confirmation(citizen, &id).await;
    world.try_confirm(citizen, &id, &confirmation).await.unwrap();
    world.accept(agent, &id).await;
    world.sealed(officer, &token, std::slice::from_ref(&id)).await;
    let file = world.download(citizen, &id, pb::SealedFileKind::Document).await;
    let text = tools::text_of(&file).await;
    let number = format!("1 / {}", world.year());
    for printed in [
        "Youssef Benali",
        "K401223",
        "Ministère de la Justice",
        "Figurait déjà",
        &number,
    ] {
        assert!(text.contains(printed), "{printed} is not in {text}");
    }
}
