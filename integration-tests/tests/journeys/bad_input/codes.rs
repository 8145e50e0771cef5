//! Codes and confirmations that are wrong, used or late.

use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::api::{new_key, text};
use wathiq_local::journey::people;

use super::change;
use crate::calls::call;
use crate::stage::Stage;

pub(super) async fn confirmations(stage: &mut Stage) {
    let (first, second) = {
        let session = stage.cast.citizen_session.clone();
        (
            stage.placed(&session).await.unwrap(),
            stage.placed(&session).await.unwrap(),
        )
    };
    let before = stage.request(&first).await.unwrap();
    let api = stage.cast.citizen_session.clone();
    let subject = api
        .get(&format!("/v1/legalisation-requests/{first}/confirmation-subject"))
        .await
        .unwrap();
    let open = async |purpose: &str, hashes: Value| {
        call(
            &api,
            Method::POST,
            "/v1/confirmations",
            Some(&json!({"purpose": purpose, "hashes": hashes})),
        )
        .await
    };
    let give = async |id: &str, code: &str| {
        call(
            &api,
            Method::POST,
            &format!("/v1/confirmations/{id}/totp"),
            Some(&json!({"code": code})),
        )
        .await
        .said()
    };
    let confirm = async |request: &str, confirmation: &str| {
        let body = json!({"confirmation_id": confirmation});
        call(
            &api,
            Method::POST,
            &format!("/v1/legalisation-requests/{request}/confirm"),
            Some(&body),
        )
        .await
        .said()
    };
    let opened = async || {
        let answer = open("legalise", json!([subject["hash"]])).await;
        text(&answer.body, "/confirmation_id").unwrap().to_owned()
    };
    assert_eq!(
        open("seal", json!([subject["hash"]])).await.said(),
        "403 WRONG_SURFACE"
    );
    assert_eq!(
        open("legalise", json!([])).await.said(),
        "400 INVALID_ARGUMENT /hashes HASH_COUNT"
    );
    assert_eq!(
        open("legalise", json!(["00"])).await.said(),
        "400 INVALID_ARGUMENT /hashes HASH_LENGTH"
    );

    // A wrong code, again and again, until the confirmation is barred.
    stage.codes_again().await.unwrap();
    let right = stage.cast.citizen.authenticator.code().await;
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 500_000) % 1_000_000);
    let barred = opened().await;
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(give(&barred, &wrong).await);
    }
    let mut expected = vec!["403 SECOND_FACTOR_WRONG"; 4];
    expected.extend(["422 CONFIRMATION_BARRED"; 2]);
    assert_eq!(said, expected);
    assert_eq!(
        give(&barred, &right).await,
        "422 CONFIRMATION_BARRED",
        "the right one comes too late"
    );
    assert_eq!(confirm(&first, &barred).await, "422 CONFIRMATION_BARRED");

    // A code that was used, a confirmation that is late, not given, of another hash, unknown.
    stage.codes_again().await.unwrap();
    let right = stage.cast.citizen.authenticator.code().await;
    let given = opened().await;
    assert_eq!(confirm(&first, &given).await, "422 CONFIRMATION_NOT_GIVEN");
    assert_eq!(give(&given, &right).await, "200");
    let late = opened().await;
    assert_eq!(give(&late, &right).await, "403 SECOND_FACTOR_USED");
    change(
        stage,
        "identity",
        "UPDATE confirmation SET expires_at = now() - interval '1 second' WHERE state = 'open'",
    )
    .await;
    let fresh = stage.cast.citizen.authenticator.code().await;
    assert_eq!(give(&late, &fresh).await, "422 CONFIRMATION_EXPIRED");
    assert_eq!(confirm(&second, &given).await, "422 CONFIRMATION_MISMATCH");
    assert_eq!(confirm(&first, &new_key()).await, "404 CONFIRMATION_NOT_FOUND");
    assert_eq!(
        stage.request(&first).await.unwrap(),
        before,
        "nothing of this has changed the request"
    );

    // What is right still counts, once.
    assert_eq!(confirm(&first, &given).await, "200");
    assert_eq!(confirm(&first, &given).await, "422 REQUEST_STATE");
    assert_eq!(stage.request(&second).await.unwrap()["state"], "signature_placed");
}

pub(super) async fn sign_up_codes(stage: &Stage) {
    let anyone = &stage.cast.anyone;
    let person = people::citizen();
    let name = |[given, family]: [&str; 2]| json!({"given": given, "family": family});
    let body = json!({
        "name_latin": name(person.name_latin), "name_arabic": name(person.name_arabic), "birth_date": person.birth_date,
        "identity_document": {"kind": "cin", "number": person.cin}, "email": person.email, "phone": person.phone,
        "language": "fr", "password": person.password,
    });
    let opened = call(anyone, Method::POST, "/v1/sign-ups", Some(&body)).await;
    let path = format!(
        "/v1/sign-ups/{}/contact-proofs",
        text(&opened.body, "/sign_up_id").unwrap()
    );
    let prove = async |channel: &str, code: &str| {
        call(
            anyone,
            Method::POST,
            &path,
            Some(&json!({"channel": channel, "code": code})),
        )
        .await
        .said()
    };
    let right = stage.cast.inbox.mailed_code(&person.email, None).await.unwrap();
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 1) % 1_000_000);
    assert_eq!(prove("email", &wrong).await, "422 CODE_WRONG");
    assert_eq!(prove("email", "12").await, "422 CODE_WRONG");
    assert_eq!(prove("email", &right).await, "200");
    assert_eq!(prove("email", &right).await, "422 CONTACT_ALREADY_PROVED");
    let texted = stage.cast.inbox.texted_code(&person.phone, None).await.unwrap();
    change(
        stage,
        "identity",
        "UPDATE one_time_code SET expires_at = now() - interval '1 second' WHERE purpose = 'sign_up_phone' AND NOT used",
    )
    .await;
    assert_eq!(prove("phone", &texted).await, "422 CODE_EXPIRED");
    let body =
        json!({"login": person.email, "password": person.password, "surface": "citizen", "cookie": false});
    let signed_in = call(anyone, Method::POST, "/v1/sessions", Some(&body)).await;
    assert_eq!(
        signed_in.said(),
        "401 CREDENTIALS_WRONG",
        "there is no account before both contacts are proved"
    );
}
