//! Binding an identity document to a person, card in hand.

use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, violations, with_token};
use crate::people::{arabic, cin, latin};

#[tokio::test]
async fn an_agent_finds_the_claims_and_proves_one() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let (mut someone, other) = (app.newcomer().await, app.newcomer().await);
    app.drain().await;
    let request = FindClaimsRequest {
        office_id: office.office_id.clone(),
        identity_document: Some(cin("be 100 000")),
    };
    let mut accounts = app.gateway.accounts.clone();
    let claims = accounts
        .find_claims(with_token(request, &agent.token))
        .await
        .unwrap()
        .into_inner()
        .claims;
    assert_eq!(claims.len(), 1);
    assert_eq!(
        (claims[0].person_id.as_str(), claims[0].assurance()),
        (someone.id.as_str(), AssuranceLevel::Claimed)
    );
    app.prove(&agent, &office.office_id, &someone).await;
    let events = app.drain().await;
    let proved = events[0].decode::<PersonProved>();
    assert_eq!(
        (proved.person_id.as_str(), proved.office_id.as_str()),
        ("", office.office_id.as_str())
    );
    // The session goes on, and its next token says it.
    app.renew_token(&mut someone).await;
    let person = accounts
        .get_person(with_token(GetPersonRequest {}, &someone.token))
        .await
        .unwrap()
        .into_inner();
    let proof = person.person.unwrap().proof.unwrap();
    assert_eq!(
        (proof.method(), proof.official_person_id.as_str()),
        (ProofMethod::InPerson, agent.id.as_str())
    );
    // The document of a proved person is bound to nobody else.
    let elsewhere = ProveIdentityRequest {
        identity_document: Some(someone.document.clone()),
        ..app.prove_request(&office.office_id, &other)
    };
    let elsewhere = accounts.prove_identity(with_token(elsewhere, &agent.token)).await;
    assert_eq!(reason(elsewhere), "IDENTITY_DOCUMENT_PROVED_ELSEWHERE");
    app.prove(&agent, &office.office_id, &other).await;
    // A renewed card is proved; another name or birth date on it is not.
    let renewed = ProveIdentityRequest {
        identity_document: Some(cin("BE777777")),
        ..app.prove_request(&office.office_id, &someone)
    };
    let renamed = ProveIdentityRequest {
        request_id: request_id(),
        name_latin: Some(PersonName {
            given: "Salma".to_owned(),
            ..latin()
        }),
        ..renewed.clone()
    };
    accounts
        .prove_identity(with_token(renewed, &agent.token))
        .await
        .unwrap();
    let renamed = accounts.prove_identity(with_token(renamed, &agent.token)).await;
    assert_eq!(reason(renamed), "CIVIL_IDENTITY_DIFFERS");
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_prove_does_not() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.newcomer().await;
    let mut accounts = app.gateway.accounts.clone();
    let own = app.prove_request(&office.office_id, &agent);
    assert_eq!(
        reason(accounts.prove_identity(with_token(own, &agent.token)).await),
        "OWN_IDENTITY"
    );
    let by_citizen = app.prove_request(&office.office_id, &someone);
    assert_eq!(
        reason(
            accounts
                .prove_identity(with_token(by_citizen, &someone.token))
                .await
        ),
        "WRONG_SURFACE"
    );
    let officer = app.member(&agent, &office.office_id, OfficeRole::Officer).await;
    let by_officer = app.prove_request(&office.office_id, &someone);
    assert_eq!(
        reason(
            accounts
                .prove_identity(with_token(by_officer, &officer.token))
                .await
        ),
        "ROLE_REQUIRED"
    );
    let other = app.create_office(&agent, "B-1", "").await;
    let elsewhere = app.prove_request(&other.office_id, &someone);
    assert_eq!(
        reason(accounts.prove_identity(with_token(elsewhere, &agent.token)).await),
        "ROLE_REQUIRED"
    );
    app.grant(&agent, &other.office_id, &agent.id, OfficeRole::Agent)
        .await;
    let not_offered = app.prove_request(&other.office_id, &someone);
    assert_eq!(
        reason(
            accounts
                .prove_identity(with_token(not_offered, &agent.token))
                .await
        ),
        "SERVICE_NOT_OFFERED"
    );
    let mut nobody = app.prove_request(&office.office_id, &someone);
    nobody.person_id = uuid::Uuid::new_v4().to_string();
    assert_eq!(
        reason(accounts.prove_identity(with_token(nobody, &agent.token)).await),
        "PERSON_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn every_bad_field_of_a_proof_is_named() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.newcomer().await;
    let request = ProveIdentityRequest {
        request_id: "x".to_owned(),
        office_id: String::new(),
        name_latin: Some(arabic()),
        birth_date: Some(app.date_in(1)),
        identity_document: Some(cin("12345")),
        ..app.prove_request(&office.office_id, &someone)
    };
    let found = violations(
        app.gateway
            .accounts
            .clone()
            .prove_identity(with_token(request, &agent.token))
            .await,
    );
    let expected = [
        ("request_id", "MALFORMED"),
        ("office_id", "REQUIRED"),
        ("name_latin.given", "NOT_LATIN_SCRIPT"),
        ("name_latin.family", "NOT_LATIN_SCRIPT"),
        ("birth_date", "OUT_OF_RANGE"),
        ("identity_document.number", "DOCUMENT_NUMBER_FORM"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    app.finish().await;
}
