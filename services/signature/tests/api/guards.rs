//! What the database refuses to the service itself, should it ever go astray.

use sqlx::{AssertSqlSafe, PgConnection};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::AGENT;

use crate::harness::{World, drawn, request_id};
use crate::issuing::header;
use crate::officers::Token;

/// Tables whose rows are records.
const RECORDS: [&str; 19] = [
    "document",
    "legalisation_request",
    "fee",
    "receipt_counter",
    "signing_credential",
    "public_key_holder",
    "token_key_holder",
    "register_counter",
    "register_entry",
    "seal_intent",
    "seal_authorisation",
    "seal_file",
    "sealed_revision",
    "revoked_certificate",
    "electronic_seal",
    "issued_document",
    "issued_act",
    "issued_act_document",
    "fee_payment",
];
/// SQLSTATE of a right that is missing, and of a rule that is broken.
const NO_RIGHT: &str = "42501";
const BROKEN_RULE: &str = "23000";

async fn refused(conn: &mut PgConnection, sql: &str) -> String {
    let error = sqlx::query(AssertSqlSafe(sql)).execute(conn).await.err();
    let error = error.unwrap_or_else(|| panic!("{sql} is not refused"));
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.unwrap_or_else(|| panic!("{sql}: {error}")).into_owned()
}

/// A world with a sealed request, one that waits for the officer, and one whose entry is annulled.
async fn with_records() -> World {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.accepted(world.citizen(), agent).await);
    }
    world.sealed(officer, &token, &ids[..1]).await;
    let issued = [world.deposited(header()).await, world.deposited(header()).await];
    let act = world.issuing(officer, &issued[..1], &token.pin);
    world.try_seal_issued(officer, act).await.unwrap();
    let open = world.authorised(officer, &ids[1..]).await;
    let annul = pb::AnnulIntentRequest {
        request_id: request_id(),
        intent_id: open[1].intent_id.clone(),
        reason: "L'officier est empêché.".to_owned(),
    };
    let done = world.office().annul_intent(world.as_staff(officer, annul)).await;
    done.unwrap();
    world
}

#[tokio::test]
async fn no_record_is_removed() {
    let world = World::start().await;
    let mut conn = world.database.connect().await;
    for table in RECORDS {
        for sql in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            assert_eq!(refused(&mut conn, &sql).await, NO_RIGHT, "{sql}");
        }
    }
}

#[tokio::test]
async fn what_a_record_says_cannot_be_written_anew() {
    let world = World::start().await;
    let mut conn = world.database.connect().await;
    for (table, column) in [
        ("document", "sha256"),
        ("legalisation_request", "applicant_id"),
        ("legalisation_request", "office_id"),
        ("legalisation_request", "document_id"),
        ("legalisation_request", "fee_centimes"),
        ("legalisation_request", "created_at"),
        ("receipt_counter", "year"),
        ("register_counter", "office_id"),
        ("register_entry", "office_id"),
        ("register_entry", "year"),
        ("register_entry", "number"),
        ("register_entry", "entered_on"),
        ("register_entry", "intent_id"),
        ("register_entry", "request_id"),
        ("seal_intent", "recipe"),
        ("seal_intent", "salt"),
        ("seal_intent", "code"),
        ("seal_intent", "officer_id"),
        ("seal_intent", "credential_id"),
        ("seal_intent", "register_number"),
        ("seal_file", "intent_id"),
        ("seal_file", "kind"),
        ("seal_authorisation", "digest"),
        ("sealed_revision", "object_key"),
        ("signing_credential", "certificate"),
        ("public_key_holder", "holder_id"),
        ("token_key_holder", "holder_id"),
        ("revoked_certificate", "revoked_at"),
        ("electronic_seal", "document_kinds"),
        ("issued_document", "digest"),
        ("issued_document", "owner_reference"),
        ("issued_document", "code"),
        ("issued_act", "jws"),
        ("issued_act_document", "digest"),
        ("fee_payment", "centimes"),
    ] {
        let sql = format!("UPDATE {table} SET {column} = {column}");
        assert_eq!(refused(&mut conn, &sql).await, NO_RIGHT, "{sql}");
    }
}

#[tokio::test]
async fn what_has_ended_or_been_fixed_does_not_go_back() {
    let world = with_records().await;
    let mut conn = world.database.connect().await;
    for sql in [
        "UPDATE issued_document SET state = 'SIGNED' WHERE state = 'SEALED'",
        "UPDATE issued_document SET level = 'B-LT' WHERE state = 'SEALED'",
        "UPDATE issued_document SET signature_value = 'other' WHERE state = 'SEALED'",
        "UPDATE issued_document SET state = 'SEALED' WHERE state = 'WAITING_FOR_OFFICER'",
        "UPDATE register_counter SET last = last",
        "UPDATE register_counter SET last = last - 1",
        "UPDATE register_counter SET last = last + 2",
        "INSERT INTO register_counter (office_id, year, last) VALUES (gen_random_uuid(), 2026, 2)",
        "UPDATE receipt_counter SET last = last + 2",
        "UPDATE register_entry SET state = 'PENDING' WHERE state = 'SEALED'",
        "UPDATE register_entry SET state = 'ANNULLED', annulment_reason = 'une raison quelconque', annulled_at = now(),
                annulled_by = gen_random_uuid() WHERE state = 'SEALED'",
        "UPDATE register_entry SET annulment_reason = 'une autre raison' WHERE state = 'ANNULLED'",
        "UPDATE register_entry SET state = 'PENDING', annulment_reason = NULL, annulled_at = NULL, annulled_by = NULL
         WHERE state = 'ANNULLED'",
        "UPDATE register_entry SET state = 'ANNULLED', annulment_reason = 'une raison quelconque', annulled_at = now(),
                annulled_by = (SELECT applicant_id FROM legalisation_request WHERE id = request_id) WHERE state = 'PENDING'",
        "INSERT INTO register_entry SELECT (jsonb_populate_record(entry, jsonb_build_object(
                'number', number + 7, 'intent_id', gen_random_uuid()))).* FROM register_entry entry WHERE state = 'PENDING'",
        "UPDATE seal_intent SET state = 'OPEN' WHERE state = 'SEALED'",
        "UPDATE seal_intent SET state = 'ANNULLED' WHERE state = 'SEALED'",
        "UPDATE seal_intent SET state = 'OPEN' WHERE state = 'ANNULLED'",
        "UPDATE seal_intent SET page_recipe = '{}'",
        "UPDATE seal_file SET phase = 'FROZEN', prepared_key = NULL, byte_range = NULL, digest = NULL,
                contents_offset = NULL, contents_len = NULL, prepared_at = NULL WHERE phase = 'PREPARED'",
        "UPDATE seal_file SET phase = 'FINISHED', finished_at = now() WHERE phase = 'PREPARED'",
        "UPDATE seal_file SET digest = sha256('x') WHERE phase = 'PREPARED'",
        "UPDATE seal_file SET prepared_key = 'elsewhere' WHERE phase = 'FINISHED'",
        "UPDATE seal_file SET signature_value = 'x' WHERE phase = 'FINISHED'",
        "UPDATE seal_file SET finished_at = now() + interval '1 day' WHERE phase = 'FINISHED'",
        "UPDATE legalisation_request SET version = version + 1, state = 'AGENT_ACCEPTED' WHERE state = 'DELIVERED'",
        "UPDATE legalisation_request SET version = version - 1 WHERE state = 'AGENT_ACCEPTED'",
        "UPDATE legalisation_request SET version = version + 1, subject_hash = sha256('x') WHERE state = 'AGENT_ACCEPTED'",
        "UPDATE legalisation_request SET version = version + 1, page_number = 2 WHERE state = 'AGENT_ACCEPTED'",
        "UPDATE legalisation_request SET version = version + 1, receipt_number = 'x' WHERE state = 'AGENT_ACCEPTED'",
    ] {
        assert_eq!(refused(&mut conn, sql).await, BROKEN_RULE, "{sql}");
    }
}

/// Between the two acts on a document that carried signatures, the page's recipe stands as it was completed.
#[tokio::test]
async fn the_pages_recipe_is_completed_once() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let original = crate::seal_signed::signed("approval").await;
    let id = world
        .accepted_file(world.citizen(), &original.file, drawn())
        .await;
    let intents = world.authorised(officer, &[id]).await;
    let act = world.sealing(officer, &intents, &token.pin);
    world.try_seal(officer, act).await.unwrap();
    let mut conn = world.database.connect().await;
    for sql in [
        "UPDATE seal_intent SET page_recipe = replace(page_recipe, 'a', 'b')",
        "UPDATE seal_intent SET page_recipe = NULL",
    ] {
        assert_eq!(refused(&mut conn, sql).await, BROKEN_RULE, "{sql}");
    }
}
