//! Creates the service's tables and gives the application role the rights it needs, and no more: no DDL, and no change of
//! what was issued.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgConnection};

/// What the application may do with each table.
const GRANTS: &[(&str, &str)] = &[
    // Not its ids, its beginning, or who administers the platform.
    (
        "SELECT, INSERT, UPDATE (version, name_arabic_given, name_arabic_family, name_latin_given, name_latin_family,
                                 birth_date, document_kind, document_number, document_typed, proof_method,
                                 proof_office_id, proof_official_id, proved_at, email, email_folded, phone, language,
                                 delivery_preference, password_hash)",
        "person",
    ),
    ("SELECT, INSERT", "identity_proof"),
    ("SELECT, INSERT, UPDATE (email, language)", "contact"),
    ("SELECT, INSERT, UPDATE, DELETE", "contact_session"),
    ("SELECT, INSERT", "bootstrap"),
    ("SELECT, INSERT, UPDATE, DELETE", "totp"),
    ("SELECT, INSERT, UPDATE, DELETE", "recovery_code"),
    ("SELECT, INSERT, UPDATE, DELETE", "one_time_code"),
    ("SELECT, INSERT, UPDATE, DELETE", "sign_up"),
    ("SELECT, INSERT, UPDATE, DELETE", "contact_change"),
    ("SELECT, INSERT, UPDATE, DELETE", "password_reset"),
    ("SELECT, INSERT, UPDATE, DELETE", "delivery"),
    ("SELECT, INSERT, UPDATE, DELETE", "session"),
    ("SELECT, INSERT, UPDATE, DELETE", "sign_in_challenge"),
    ("SELECT, INSERT, UPDATE, DELETE", "quota"),
    ("SELECT, INSERT, UPDATE (private_sealed)", "signing_key"),
    ("SELECT, INSERT, UPDATE (version)", "office"),
    ("SELECT, INSERT, UPDATE (valid_to)", "office_service"),
    ("SELECT, INSERT, UPDATE (version, ended_at)", "membership"),
    (
        "SELECT, INSERT, UPDATE (version, name_ar, name_fr, enrolled_to)",
        "administration",
    ),
    ("SELECT, INSERT, UPDATE (sequence, last_version)", "specimen"),
    (
        "SELECT, INSERT, UPDATE (proof_method, proof_office_id, proof_official_id, proved_at)",
        "specimen_version",
    ),
    // Deleting is for what was never redeemed: a trigger keeps the rest.
    (
        "SELECT, INSERT, DELETE, UPDATE (version, state, attempts_left, method, confirmed_at, record, redeemed_by,
                                         redeemed_at)",
        "confirmation",
    ),
    ("SELECT", "_sqlx_migrations"),
];

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("migrations of the outbox tables failed")]
    Outbox(#[source] wathiq_outbox::MigrateError),
    #[error("migrations failed")]
    Migration(#[source] wathiq_outbox::ApplyError),
    #[error("granting rights on table {table} failed")]
    Grant {
        table: &'static str,
        source: sqlx::Error,
    },
    #[error("reading the state of the migrations failed")]
    State(#[source] sqlx::Error),
}

fn migrator() -> Migrator {
    sqlx::migrate!()
}

/// Brings all tables up to date, as the owner role; safe to repeat.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(owner: &mut PgConnection, application_role: &str) -> Result<(), MigrateError> {
    wathiq_outbox::migrate(owner, application_role)
        .await
        .map_err(MigrateError::Outbox)?;
    wathiq_outbox::apply(&migrator(), owner)
        .await
        .map_err(MigrateError::Migration)?;
    for (rights, table) in GRANTS {
        grant(owner, rights, table, application_role)
            .await
            .map_err(|source| MigrateError::Grant { table, source })?;
    }
    Ok(())
}

async fn grant(owner: &mut PgConnection, rights: &str, table: &str, role: &str) -> Result<(), sqlx::Error> {
    // The server quotes names. Rights are taken away first, so that a narrower grant really narrows.
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

/// Whether all migrations are applied; for readiness, as the application role.
///
/// # Errors
/// When the database does not answer.
pub async fn is_current(conn: &mut PgConnection) -> Result<bool, MigrateError> {
    if !wathiq_outbox::is_current(&mut *conn)
        .await
        .map_err(MigrateError::Outbox)?
    {
        return Ok(false);
    }
    let (exists,): (bool,) = sqlx::query_as("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *conn)
        .await
        .map_err(MigrateError::State)?;
    if !exists {
        return Ok(false);
    }
    let wanted: Vec<i64> = migrator().iter().map(|migration| migration.version).collect();
    let (missing,): (i64,) = sqlx::query_as(
        "SELECT count(*) FROM unnest($1::bigint[]) AS wanted (version)
         WHERE NOT EXISTS (SELECT FROM _sqlx_migrations m WHERE m.version = wanted.version AND m.success)",
    )
    .bind(wanted)
    .fetch_one(conn)
    .await
    .map_err(MigrateError::State)?;
    Ok(missing == 0)
}
