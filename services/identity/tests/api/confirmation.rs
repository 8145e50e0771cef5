//! Confirmations: opened, given, used up.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, violations, with_token};
use crate::people::Someone;

pub(crate) fn create(purpose: ConfirmationPurpose, hashes: &[u8]) -> CreateConfirmationRequest {
    CreateConfirmationRequest {
        request_id: request_id(),
        purpose: purpose.into(),
        hashes: hashes.iter().map(|byte| vec![*byte; 32]).collect(),
    }
}

pub(crate) fn confirm(id: &str, code: &str) -> ConfirmWithTotpRequest {
    ConfirmWithTotpRequest {
        request_id: request_id(),
        confirmation_id: id.to_owned(),
        code: code.to_owned(),
    }
}

pub(crate) fn redeem(id: &str, person: &str, hashes: &[u8]) -> RedeemConfirmationRequest {
    RedeemConfirmationRequest {
        request_id: request_id(),
        confirmation_id: id.to_owned(),
        person_id: person.to_owned(),
        purpose: ConfirmationPurpose::Legalise.into(),
        hashes: hashes.iter().map(|byte| vec![*byte; 32]).collect(),
    }
}

pub(crate) async fn open(app: &TestApp, someone: &Someone) -> String {
    let request = with_token(create(ConfirmationPurpose::Legalise, &[1, 2]), &someone.token);
    let opened = app
        .gateway
        .confirmations
        .clone()
        .create_confirmation(request)
        .await
        .unwrap()
        .into_inner();
    opened.confirmation.unwrap().confirmation_id
}

pub(crate) async fn given(app: &TestApp, someone: &Someone) -> String {
    let id = open(app, someone).await;
    let request = with_token(confirm(&id, &app.code(someone)), &someone.token);
    app.gateway
        .confirmations
        .clone()
        .confirm_with_totp(request)
        .await
        .unwrap();
    id
}

fn part(jws: &str, index: usize) -> Value {
    serde_json::from_slice(
        &BASE64URL_NOPAD
            .decode(jws.split('.').nth(index).unwrap().as_bytes())
            .unwrap(),
    )
    .unwrap()
}

#[tokio::test]
async fn what_was_confirmed_is_used_once_and_recorded() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    app.drain().await;
    let id = given(&app, &someone).await;
    let given_at = app.now();
    let mut services = app.signature.confirmations.clone();
    let request = redeem(&id, &someone.id, &[2, 1]);
    let record = services
        .redeem_confirmation(request.clone())
        .await
        .unwrap()
        .into_inner()
        .record
        .unwrap();
    assert_eq!(
        (record.method.as_str(), record.person_id.as_str()),
        ("totp", someone.id.as_str())
    );
    // A repeat gets the same record, another request nothing.
    assert_eq!(
        services
            .redeem_confirmation(request)
            .await
            .unwrap()
            .into_inner()
            .record
            .unwrap(),
        record
    );
    assert_eq!(
        reason(
            services
                .redeem_confirmation(redeem(&id, &someone.id, &[1, 2]))
                .await
        ),
        "CONFIRMATION_USED"
    );

    let keys = app
        .signature
        .directory
        .clone()
        .list_verification_keys(ListVerificationKeysRequest {})
        .await
        .unwrap();
    let header = part(&record.jws, 0);
    let keys = keys.into_inner().keys;
    let key = keys
        .iter()
        .find(|key| header["kid"] == key.key_id.as_str())
        .unwrap();
    let (signed, signature) = record.jws.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    UnparsedPublicKey::new(&ED25519, &key.public_key)
        .verify(signed.as_bytes(), &signature)
        .unwrap();
    let payload = part(&record.jws, 1);
    assert_eq!(header["typ"], "wathiq-confirmation+jws");
    assert_eq!(
        payload,
        json!({
            "iss": "https://identity.wathiq",
            "sub": someone.id,
            "sid": someone.session_id,
            "jti": id,
            "purpose": "legalise",
            "hashes": [BASE64URL_NOPAD.encode(&[1; 32]), BASE64URL_NOPAD.encode(&[2; 32])],
            "method": "totp",
            "iat": given_at.timestamp(),
        })
    );
    let events: Vec<_> = app
        .drain()
        .await
        .into_iter()
        .map(|event| (event.event_type, event.sequence))
        .collect();
    let expected = ["ConfirmationOpened", "ConfirmationGiven", "ConfirmationRedeemed"];
    let expected: Vec<_> = expected
        .iter()
        .zip(1..)
        .map(|(name, n)| (format!("wathiq.identity.v1.{name}"), n))
        .collect();
    assert_eq!(events, expected);
    app.finish().await;
}

#[tokio::test]
async fn another_person_purpose_or_set_is_refused_and_leaves_a_trace() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    let id = given(&app, &someone).await;
    let mut services = app.signature.confirmations.clone();
    let mut other_purpose = redeem(&id, &someone.id, &[1, 2]);
    other_purpose.purpose = ConfirmationPurpose::Seal.into();
    for request in [
        redeem(&id, &agent.id, &[1, 2]),
        redeem(&id, &someone.id, &[1]),
        redeem(&id, &someone.id, &[1, 2, 3]),
        other_purpose,
    ] {
        assert_eq!(
            reason(services.redeem_confirmation(request).await),
            "CONFIRMATION_MISMATCH"
        );
    }
    let traces = "SELECT count(*) FROM audit WHERE action = 'confirmation.redeem' AND reason = 'CONFIRMATION_MISMATCH'";
    assert_eq!(app.count(traces).await, 4);
    services
        .redeem_confirmation(redeem(&id, &someone.id, &[1, 2]))
        .await
        .unwrap();
    app.finish().await;
}

#[tokio::test]
async fn five_wrong_codes_bar_it() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    let id = open(&app, &someone).await;
    app.drain().await;
    let mut confirmations = app.gateway.confirmations.clone();
    for attempt in 1..=5 {
        let refused = confirmations
            .confirm_with_totp(with_token(confirm(&id, "no code"), &someone.token))
            .await;
        let expected = if attempt == 5 {
            "CONFIRMATION_BARRED"
        } else {
            "SECOND_FACTOR_WRONG"
        };
        assert_eq!(reason(refused), expected);
    }
    let code = app.code(&someone);
    let barred = confirmations
        .confirm_with_totp(with_token(confirm(&id, &code), &someone.token))
        .await;
    assert_eq!(reason(barred), "CONFIRMATION_BARRED");
    let used = app
        .signature
        .confirmations
        .clone()
        .redeem_confirmation(redeem(&id, &someone.id, &[1, 2]))
        .await;
    assert_eq!(reason(used), "CONFIRMATION_BARRED");
    let events = app.drain().await;
    assert_eq!(
        (events.len(), events[0].event_type.as_str()),
        (1, "wathiq.identity.v1.ConfirmationBarred")
    );
    app.finish().await;
}

#[tokio::test]
async fn a_code_used_anywhere_confirms_nothing() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut someone = app.proved_citizen(&agent, &office.office_id).await;
    app.sign_in(&mut someone, SessionSurface::Citizen).await;
    let used = someone.totp.as_ref().unwrap().code_at(app.now());
    let id = open(&app, &someone).await;
    let mut confirmations = app.gateway.confirmations.clone();
    let replayed = confirmations
        .confirm_with_totp(with_token(confirm(&id, &used), &someone.token))
        .await;
    assert_eq!(reason(replayed), "SECOND_FACTOR_USED");
    app.finish().await;
}

#[tokio::test]
async fn it_is_of_one_session_and_ten_minutes() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut someone = app.proved_citizen(&agent, &office.office_id).await;
    let first_token = someone.token.clone();
    let id = open(&app, &someone).await;
    app.sign_in(&mut someone, SessionSurface::Citizen).await;
    let mut confirmations = app.gateway.confirmations.clone();
    let code = app.code(&someone);
    let other_session = confirmations
        .confirm_with_totp(with_token(confirm(&id, &code), &someone.token))
        .await;
    assert_eq!(reason(other_session), "CONFIRMATION_NOT_FOUND");
    let mut services = app.signature.confirmations.clone();
    assert_eq!(
        reason(
            services
                .redeem_confirmation(redeem(&id, &someone.id, &[1, 2]))
                .await
        ),
        "CONFIRMATION_NOT_GIVEN"
    );
    confirmations
        .confirm_with_totp(with_token(confirm(&id, &code), &first_token))
        .await
        .unwrap();
    app.advance(TimeDelta::minutes(10));
    assert_eq!(
        reason(
            services
                .redeem_confirmation(redeem(&id, &someone.id, &[1, 2]))
                .await
        ),
        "CONFIRMATION_EXPIRED"
    );
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_confirm_does_not() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut confirmations = app.gateway.confirmations.clone();
    let claimed = app.citizen().await;
    let request = with_token(create(ConfirmationPurpose::Legalise, &[1]), &claimed.token);
    assert_eq!(
        reason(confirmations.create_confirmation(request).await),
        "PERSON_NOT_PROVED"
    );
    let without = app.newcomer().await;
    app.prove(&agent, &office.office_id, &without).await;
    let request = with_token(create(ConfirmationPurpose::Legalise, &[1]), &without.token);
    assert_eq!(
        reason(confirmations.create_confirmation(request).await),
        "SECOND_FACTOR_NOT_ENROLLED"
    );
    let citizen = app.proved_citizen(&agent, &office.office_id).await;
    let request = with_token(create(ConfirmationPurpose::Seal, &[1]), &citizen.token);
    assert_eq!(
        reason(confirmations.create_confirmation(request).await),
        "WRONG_SURFACE"
    );
    let request = with_token(create(ConfirmationPurpose::Seal, &[1]), &agent.token);
    confirmations.create_confirmation(request).await.unwrap();
    let request = with_token(create(ConfirmationPurpose::Unspecified, &[1, 1]), &citizen.token);
    let found = violations(confirmations.create_confirmation(request).await);
    let expected = [("purpose", "REQUIRED"), ("hashes", "HASH_REPEATED")];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    let end = EndSessionRequest {
        request_id: request_id(),
        session_id: citizen.session_id.clone(),
    };
    app.gateway
        .sessions
        .clone()
        .end_session(with_token(end, &citizen.token))
        .await
        .unwrap();
    let request = with_token(create(ConfirmationPurpose::Legalise, &[1]), &citizen.token);
    assert_eq!(
        reason(confirmations.create_confirmation(request).await),
        "SESSION_EXPIRED"
    );
    app.finish().await;
}
