//! Brings the database up to date, as the role that owns it, and gives the application role exactly the rights it needs.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use wathiq_chassis::ConfigError;

use crate::config::DatabaseConfig;

static MIGRATOR: Migrator = sqlx::migrate!();

/// One `GRANT` each. Issued records get no `DELETE`, and `UPDATE` only of the columns that are a state; how these may change,
/// triggers say. Nothing may be truncated.
const GRANTS: &[(&str, &str)] = &[
    ("SELECT, INSERT", "document"),
    (
        "SELECT, INSERT, UPDATE (version, state, page_number, rectangle_x, rectangle_y, rectangle_width, rectangle_height, mark,
            strokes, confirmation_id, confirmation_method, confirmed_at, confirmation_jws, subject_hash, confirmed_specimen,
            signer, receipt_number, submitted_at, expected_on, agent_id, comparison_result, comparison_note,
            specimen_version, specimen_proof_method, specimen_proof_office_id, specimen_proof_at, region_sha256,
            specimen_sha256, compared_at, return_note, refusal_code, refusal_text, refusal_level, refused_by, refused_at,
            intent_id, officer_id, authorised_at, sealed_at, delivered_at, updated_at, expires_at)",
        "legalisation_request",
    ),
    (
        "SELECT, INSERT, UPDATE (person_id, claimed_at, lapses_at), DELETE",
        "claim",
    ),
    (
        "SELECT, INSERT, UPDATE (region_sha256, specimen_sha256, specimen_version, specimen_proof_method,
            specimen_proof_office_id, specimen_proof_at, shown_at)",
        "shown",
    ),
    ("SELECT, INSERT", "fee"),
    (
        "SELECT, INSERT, UPDATE (payable_id, paid_at, closed_at, refunded_at, refund_failed_at, task, next_attempt_at, attempts)",
        "fee_payment",
    ),
    ("SELECT, INSERT, UPDATE (last)", "receipt_counter"),
    ("SELECT, INSERT", "signing_credential"),
    ("SELECT, INSERT", "electronic_seal"),
    ("SELECT, INSERT", "signing_credential_end"),
    ("SELECT, INSERT", "public_key_holder"),
    ("SELECT, INSERT", "token_key_holder"),
    ("SELECT, INSERT, UPDATE (last)", "register_counter"),
    (
        "SELECT, INSERT, UPDATE (state, annulment_reason, annulled_by, annulled_at)",
        "register_entry",
    ),
    ("SELECT, INSERT, UPDATE (state, page_recipe)", "seal_intent"),
    ("SELECT, INSERT", "seal_authorisation"),
    (
        "SELECT, INSERT, UPDATE (phase, prepared_key, byte_range, digest, contents_offset, contents_len, prepared_at,
            confirmation_id, signature_value, signed_at, finished_at, hindrance, next_attempt_at, attempts)",
        "seal_file",
    ),
    ("SELECT, INSERT", "sealed_revision"),
    (
        "SELECT, INSERT, UPDATE (state, confirmation_id, credential_id, signature_value, signed_at, hindrance, next_attempt_at,
            attempts, sealed_key, size_bytes, sha256, commitment, level, ended_at)",
        "issued_document",
    ),
    ("SELECT, INSERT", "issued_act"),
    ("SELECT, INSERT", "issued_act_document"),
    ("SELECT, INSERT", "revocation_evidence"),
    ("SELECT, INSERT", "revoked_certificate"),
    ("SELECT, INSERT, DELETE", "download_link"),
    ("SELECT", "_sqlx_migrations"),
];

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the database refused or did not answer")]
    Database(#[from] sqlx::Error),
    #[error("the tables of outbox and audit could not be brought up to date")]
    Outbox(#[from] wathiq_outbox::MigrateError),
    #[error(transparent)]
    Migration(#[from] wathiq_outbox::ApplyError),
}

/// Applies what is missing and sets the rights. Safe to repeat.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(config: &DatabaseConfig) -> Result<(), MigrateError> {
    let application = config.connect_options()?.get_username().to_owned();
    let mut owner = PgConnection::connect_with(&config.owner_options()?).await?;
    wathiq_outbox::migrate(&mut owner, &application).await?;
    wathiq_outbox::apply(&MIGRATOR, &mut owner).await?;
    for (rights, table) in GRANTS {
        grant(&mut owner, rights, table, &application).await?;
    }
    owner.close().await?;
    Ok(())
}

/// Whether everything is applied, asked as the application role.
///
/// # Errors
/// [`MigrateError`] when the database does not answer.
pub async fn is_current(conn: &mut PgConnection) -> Result<bool, MigrateError> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *conn)
        .await?;
    if !exists || !wathiq_outbox::is_current(conn).await? {
        return Ok(false);
    }
    let wanted: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    let missing: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM unnest($1::bigint[]) AS wanted (version)
         WHERE NOT EXISTS (SELECT FROM _sqlx_migrations m WHERE m.version = wanted.version AND m.success)",
    )
    .bind(wanted)
    .fetch_one(conn)
    .await?;
    Ok(missing == 0)
}

async fn grant(owner: &mut PgConnection, rights: &str, table: &str, role: &str) -> Result<(), sqlx::Error> {
    // The server quotes the names. Rights are taken away first, so that a narrower grant of a later version really narrows.
    let (revoke, grant): (String, String) = sqlx::query_as(
        "SELECT format('REVOKE ALL ON %I FROM %I', $1, $3), format('GRANT ' || $2 || ' ON %I TO %I', $1, $3)",
    )
    .bind(table)
    .bind(rights)
    .bind(role)
    .fetch_one(&mut *owner)
    .await?;
    sqlx::query(AssertSqlSafe(revoke)).execute(&mut *owner).await?;
    sqlx::query(AssertSqlSafe(grant)).execute(&mut *owner).await?;
    Ok(())
}
