//! What was decided stands: the application role, and for rows that are evidence the tables themselves, refuse to rewrite it.

use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use wathiq_proto::wathiq::identity::v1::*;

use crate::confirmation;
use crate::harness::{TestApp, request_id, with_token};
use crate::specimen;

/// SQLSTATE and constraint of a refusal.
async fn refused<'e, E>(executor: E, statement: &str) -> (String, String)
where
    E: sqlx::Executor<'e, Database = Postgres>,
{
    let query = sqlx::query(AssertSqlSafe(statement.to_owned()));
    let Err(error) = query.execute(executor).await else {
        panic!("{statement} was done")
    };
    let error = error.as_database_error().expect("the database refused");
    let code = error.code().unwrap_or_default().into_owned();
    (code, error.constraint().unwrap_or_default().to_owned())
}

/// A proved citizen whose specimen counts, with one confirmation redeemed and one given, and an ended membership.
async fn acts(app: &TestApp) {
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    let mut specimens = app.gateway.specimens.clone();
    let deposit = with_token(specimen::deposit(0), &someone.token);
    specimens.deposit_specimen(deposit).await.unwrap();
    let prove = with_token(specimen::prove(&office.office_id, &someone.id, 1), &agent.token);
    specimens.prove_specimen(prove).await.unwrap();
    let redeemed = confirmation::given(app, &someone).await;
    confirmation::given(app, &someone).await;
    let redeem = confirmation::redeem(&redeemed, &someone.id, &[1, 2]);
    let mut confirmations = app.signature.confirmations.clone();
    confirmations.redeem_confirmation(redeem).await.unwrap();
    let membership = app
        .grant(&agent, &office.office_id, &someone.id, OfficeRole::Officer)
        .await;
    let end = EndMembershipRequest {
        request_id: request_id(),
        membership_id: membership.membership_id,
    };
    let mut offices = app.gateway.offices.clone();
    let end = with_token(end, &agent.token);
    offices.end_membership(end).await.unwrap();
}

/// Refused by the tables to whoever has the right to write at all, so to the owner too.
const REFUSED_BY_TABLES: &[(&str, &str)] = &[
    (
        "UPDATE confirmation SET redeemed_at = now() WHERE state = 'redeemed'",
        "confirmation_stands",
    ),
    (
        "UPDATE confirmation SET state = 'confirmed', redeemed_at = NULL, redeemed_by = NULL WHERE state = 'redeemed'",
        "confirmation_stands",
    ),
    (
        "UPDATE confirmation SET redeemed_by = 'another' WHERE state = 'redeemed'",
        "confirmation_stands",
    ),
    (
        "UPDATE confirmation SET record = 'another' WHERE state = 'confirmed'",
        "confirmation_stands",
    ),
    (
        "UPDATE confirmation SET state = 'open', method = NULL, confirmed_at = NULL, record = NULL
         WHERE state = 'confirmed'",
        "confirmation_stands",
    ),
    (
        "UPDATE confirmation SET attempts_left = attempts_left + 1 WHERE state = 'confirmed'",
        "confirmation_stands",
    ),
    ("DELETE FROM confirmation WHERE state = 'redeemed'", "confirmation_stands"),
    (
        "UPDATE specimen_version SET proved_at = now() WHERE proved_at IS NOT NULL",
        "specimen_version_proved_once",
    ),
    ("UPDATE specimen SET last_version = 0", "specimen_goes_on"),
    (
        "UPDATE membership SET ended_at = NULL WHERE ended_at IS NOT NULL",
        "membership_ends_once",
    ),
    (
        "UPDATE person SET proof_method = NULL, proof_office_id = NULL, proof_official_id = NULL, proved_at = NULL
         WHERE proved_at IS NOT NULL",
        "person_keeps_its_proof",
    ),
    (
        "UPDATE signing_key SET private_sealed = 'another' WHERE private_sealed IS NOT NULL",
        "signing_key_is_only_destroyed",
    ),
];

/// Refused to the application role: it has no such right.
const REFUSED_TO_THE_ROLE: &[&str] = &[
    "UPDATE confirmation SET hashes = hashes",
    "UPDATE confirmation SET purpose = purpose",
    "UPDATE confirmation SET person_id = person_id",
    "UPDATE confirmation SET expires_at = expires_at",
    "TRUNCATE confirmation",
    "UPDATE identity_proof SET document_number = document_number",
    "DELETE FROM identity_proof",
    "UPDATE specimen_version SET image = image",
    "UPDATE specimen_version SET image_sha256 = image_sha256",
    "DELETE FROM specimen_version",
    "UPDATE specimen SET person_id = person_id",
    "DELETE FROM specimen",
    "UPDATE membership SET role = role",
    "UPDATE membership SET valid_to = valid_to",
    "DELETE FROM membership",
    "UPDATE person SET platform_administrator = true",
    "UPDATE person SET stream_id = stream_id",
    "UPDATE person SET created_at = created_at",
    "UPDATE office SET code = code",
    "UPDATE office_service SET valid_from = valid_from",
    "UPDATE administration SET enrolled_from = enrolled_from",
    "DELETE FROM administration",
    "UPDATE signing_key SET public_key = public_key",
    "DELETE FROM signing_key",
    "ALTER TABLE confirmation DISABLE TRIGGER ALL",
];

#[tokio::test]
async fn evidence_is_not_rewritten() {
    let app = TestApp::start().await;
    acts(&app).await;
    let mut owner: PgConnection = app.owner().await;
    for (statement, constraint) in REFUSED_BY_TABLES {
        let expected = ("23000".to_owned(), (*constraint).to_owned());
        assert_eq!(refused(&app.pool, statement).await, expected, "{statement}");
        assert_eq!(refused(&mut owner, statement).await, expected, "{statement}");
    }
    for statement in REFUSED_TO_THE_ROLE {
        assert_eq!(refused(&app.pool, statement).await.0, "42501", "{statement}");
    }
    sqlx::Connection::close(owner).await.unwrap();
    app.finish().await;
}

#[tokio::test]
async fn every_proof_of_an_identity_is_kept() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut someone = app.proved_citizen(&agent, &office.office_id).await;
    // A renewed card.
    someone.document.number = "BE999999".to_owned();
    app.prove(&agent, &office.office_id, &someone).await;
    let kept: Vec<(String, String)> = sqlx::query_as(
        "SELECT document_number, official_id::text FROM identity_proof WHERE person_id = $1::uuid ORDER BY version",
    )
    .bind(&someone.id)
    .fetch_all(&app.pool)
    .await
    .unwrap();
    let official = || agent.id.clone();
    assert_eq!(
        kept,
        [
            ("BE100000".to_owned(), official()),
            ("BE999999".to_owned(), official())
        ]
    );
    let bootstrap = "SELECT count(*) FROM identity_proof WHERE method = 'bootstrap'";
    assert_eq!(app.count(bootstrap).await, 1);
    app.finish().await;
}
