//! The first administrator, migrations, and what the application role may not do.

use sqlx::Connection;
use wathiq_identity::app::Error;
use wathiq_identity::domain::contact::Email;
use wathiq_identity::domain::refusal::Refusal;
use wathiq_identity::service::ServiceError;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, with_token};
use crate::people::first_administrator;

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let app = TestApp::start().await;
    let administrator = app.administrator().await;
    let mut second = first_administrator();
    second.email = Email::parse("other@example.ma").unwrap();
    let refused = wathiq_identity::bootstrap_administrator(&app.settings, app.ambient(), second).await;
    assert!(matches!(
        refused,
        Err(ServiceError::App(Error::Refused(Refusal::BootstrapDone)))
    ));
    let request = with_token(GetPersonRequest {}, &administrator.token);
    let person = app
        .gateway
        .accounts
        .clone()
        .get_person(request)
        .await
        .unwrap()
        .into_inner()
        .person
        .unwrap();
    assert_eq!(person.proof.unwrap().method(), ProofMethod::Bootstrap);
    app.finish().await;
}

#[tokio::test]
async fn of_many_at_once_one_becomes_the_first_administrator() {
    let app = TestApp::start().await;
    let attempts = (0..6).map(|number| {
        let mut first = first_administrator();
        first.email = Email::parse(&format!("admin{number}@example.ma")).unwrap();
        let (settings, ambient) = (app.settings.clone(), app.ambient());
        async move {
            wathiq_identity::bootstrap_administrator(&settings, ambient, first)
                .await
                .is_ok()
        }
    });
    let made = futures::future::join_all(attempts).await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    assert_eq!(
        app.count("SELECT count(*) FROM person WHERE platform_administrator")
            .await,
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn migrations_may_be_repeated_and_readiness_follows_them() {
    let app = TestApp::start().await;
    wathiq_identity::migrate(&app.settings).await.unwrap();
    let bound = std::time::Duration::from_secs(10);
    tokio::time::timeout(bound, app.readiness.wait_ready())
        .await
        .expect("ready once the schema is current");
    app.finish().await;
}

#[tokio::test]
async fn the_application_role_has_no_ddl_and_changes_nothing_that_was_issued() {
    let app = TestApp::start().await;
    app.administrator().await;
    for statement in [
        "CREATE TABLE x (a integer)",
        "DELETE FROM person",
        "DELETE FROM membership",
        "DELETE FROM specimen_version",
        "UPDATE specimen_version SET image = image",
        "UPDATE membership SET role = role",
        "UPDATE bootstrap SET done_at = done_at",
        "DELETE FROM bootstrap",
        "DELETE FROM office",
        "UPDATE signing_key SET public_key = public_key",
        "DELETE FROM audit",
        "UPDATE audit SET outcome = outcome",
        "DELETE FROM outbox",
    ] {
        let refused = sqlx::query(statement).execute(&app.pool).await.unwrap_err();
        let code = refused
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_database_itself_keeps_what_must_hold() {
    let app = TestApp::start().await;
    app.administrator().await;
    let mut owner = app.owner().await;
    for (statement, constraint) in [
        ("UPDATE person SET proof_method = NULL", "person_proof"),
        (
            "UPDATE person SET proof_method = 'in_person'",
            "person_proof_in_person",
        ),
        (
            "UPDATE person SET proof_official_id = person_id",
            "person_proof_by_another",
        ),
    ] {
        let refused = sqlx::query(statement).execute(&mut owner).await.unwrap_err();
        let broken = refused
            .as_database_error()
            .and_then(|error| error.constraint().map(ToOwned::to_owned));
        assert_eq!(broken.as_deref(), Some(constraint), "{statement}");
    }
    owner.close().await.unwrap();
    app.finish().await;
}
