//! Bad fields are named all at once; a request id belongs to one request; a database that is down is said to be.

use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, refusal, request_id, violations, with_token};
use crate::people::{cin, latin, sign_up_request};

fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned()))
        .collect()
}

#[tokio::test]
async fn every_bad_field_of_a_sign_up_is_named_at_once() {
    let app = TestApp::start().await;
    let request = SignUpRequest {
        request_id: String::new(),
        name_arabic: Some(latin()),
        name_latin: None,
        birth_date: Some(Date {
            year: 2026,
            month: 13,
            day: 1,
        }),
        identity_document: Some(cin("1")),
        email: "nobody".to_owned(),
        phone: "0522334455".to_owned(),
        language: 0,
        password: "court".to_owned(),
        client_address: "here".to_owned(),
    };
    let found = violations(app.gateway.accounts.clone().sign_up(request).await);
    let expected = owned(&[
        ("request_id", "REQUIRED"),
        ("name_arabic.given", "NOT_ARABIC_SCRIPT"),
        ("name_arabic.family", "NOT_ARABIC_SCRIPT"),
        ("name_latin.given", "REQUIRED"),
        ("name_latin.family", "REQUIRED"),
        ("birth_date", "NOT_A_DATE"),
        ("identity_document.number", "DOCUMENT_NUMBER_FORM"),
        ("email", "EMAIL_FORM"),
        ("phone", "PHONE_NOT_MOBILE"),
        ("language", "REQUIRED"),
        ("password", "PASSWORD_TOO_SHORT"),
        ("client_address", "NOT_AN_ADDRESS"),
    ]);
    assert_eq!(found, expected);
    app.finish().await;
}

#[tokio::test]
async fn an_unusual_number_is_a_warning() {
    let app = TestApp::start().await;
    let request = SignUpRequest {
        identity_document: Some(cin("A1")),
        ..sign_up_request(1)
    };
    let opened = app
        .gateway
        .accounts
        .clone()
        .sign_up(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(opened.warnings, ["DOCUMENT_NUMBER_UNUSUAL"]);
    app.finish().await;
}

#[tokio::test]
async fn a_request_id_belongs_to_one_request() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    let request = sign_up_request(1);
    let first = accounts.sign_up(request.clone()).await.unwrap().into_inner();
    // The same from elsewhere is the same: a phone changes its address between two attempts.
    let moved = SignUpRequest {
        client_address: "2001:db8::1".to_owned(),
        ..request.clone()
    };
    assert_eq!(accounts.sign_up(moved).await.unwrap().into_inner(), first);
    let changed = SignUpRequest {
        phone: "0699999998".to_owned(),
        ..request
    };
    assert_eq!(reason(accounts.sign_up(changed).await), "REQUEST_ID_REUSED");
    // Two people may use the same id.
    let (someone, other) = (app.newcomer().await, app.newcomer().await);
    let update = |language: Language| UpdatePreferencesRequest {
        request_id: "018f0000-0000-7000-8000-000000000001".to_owned(),
        language: language.into(),
        ..Default::default()
    };
    accounts
        .update_preferences(with_token(update(Language::Fr), &someone.token))
        .await
        .unwrap();
    accounts
        .update_preferences(with_token(update(Language::En), &other.token))
        .await
        .unwrap();
    app.finish().await;
}

#[tokio::test]
async fn what_is_stored_of_a_request_does_not_give_its_password_away() {
    let app = TestApp::start().await;
    let request = sign_up_request(1);
    app.gateway
        .accounts
        .clone()
        .sign_up(request.clone())
        .await
        .unwrap();
    let stored: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT hash FROM idempotency")
        .fetch_all(&app.pool)
        .await
        .unwrap();
    // A plain hash could be tried against a list of passwords.
    use prost::Message;
    use sha2::Digest;
    let bare = SignUpRequest {
        request_id: String::new(),
        client_address: String::new(),
        ..request.clone()
    };
    for message in [request, bare] {
        let plain = sha2::Sha256::digest(message.encode_to_vec());
        assert!(stored.iter().all(|(hash,)| hash[..] != plain[..]));
    }
    app.finish().await;
}

#[tokio::test]
async fn pages_take_their_own_tokens_alone() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut sessions = app.gateway.sessions.clone();
    let list = |page_size: i32, token: &str| {
        with_token(
            ListSessionsRequest {
                page_size,
                page_token: token.to_owned(),
            },
            &someone.token,
        )
    };
    assert_eq!(
        violations(sessions.list_sessions(list(-1, "")).await),
        owned(&[("page_size", "OUT_OF_RANGE")])
    );
    assert_eq!(
        violations(sessions.list_sessions(list(1, "x y")).await),
        owned(&[("page_token", "MALFORMED")])
    );
    assert_eq!(
        violations(sessions.list_sessions(list(1, "eA")).await),
        owned(&[("page_token", "MALFORMED")])
    );
    app.finish().await;
}

#[tokio::test]
async fn a_database_that_is_down_is_said_to_be_and_loses_nothing() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut clients = app.gateway.clone();
    clients
        .accounts
        .get_person(with_token(GetPersonRequest {}, &someone.token))
        .await
        .unwrap();
    app.cut_off(true).await;
    let request = UpdatePreferencesRequest {
        request_id: request_id(),
        language: Language::Fr.into(),
        ..Default::default()
    };
    let down = refusal(
        clients
            .accounts
            .update_preferences(with_token(request.clone(), &someone.token))
            .await,
    );
    assert_eq!(down.code(), tonic::Code::Unavailable);
    assert_eq!(
        wathiq_chassis::status::reason(&down).as_deref(),
        Some("DATABASE_UNAVAILABLE")
    );
    app.cut_off(false).await;
    let person = clients
        .accounts
        .update_preferences(with_token(request, &someone.token))
        .await
        .unwrap();
    assert_eq!(person.into_inner().person.unwrap().etag, "v2");
    app.finish().await;
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_and_loses_nothing() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut owner = app.owner().await;
    // What PostgreSQL answers when it cannot extend a file.
    for statement in [
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER no_room BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION no_room()",
    ] {
        sqlx::query(statement).execute(&mut owner).await.unwrap();
    }
    let request = UpdatePreferencesRequest {
        request_id: request_id(),
        language: Language::Fr.into(),
        ..Default::default()
    };
    let mut accounts = app.gateway.accounts.clone();
    let full = accounts.update_preferences(with_token(request.clone(), &someone.token));
    let full = refusal(full.await);
    assert_eq!(full.code(), tonic::Code::Unavailable);
    assert_eq!(
        wathiq_chassis::status::reason(&full).as_deref(),
        Some("STORAGE_FULL")
    );
    sqlx::query("DROP TRIGGER no_room ON audit")
        .execute(&mut owner)
        .await
        .unwrap();
    let person = accounts
        .update_preferences(with_token(request, &someone.token))
        .await
        .unwrap();
    assert_eq!(person.into_inner().person.unwrap().etag, "v2");
    sqlx::Connection::close(owner).await.unwrap();
    app.finish().await;
}
