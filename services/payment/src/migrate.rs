//! Brings the database up to date, as the role that owns it, and gives the application role exactly the rights it needs.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use wathiq_chassis::ConfigError;

use crate::config::DatabaseConfig;

static MIGRATOR: Migrator = sqlx::migrate!();

/// One `GRANT` each: `UPDATE` only of the columns that are a state; how these may change, triggers say. Nothing may be truncated.
const GRANTS: &[(&str, &str)] = &[
    (
        "SELECT, INSERT, UPDATE (version, state, paid_at, paid_by, receipt_year, receipt_number)",
        "payable",
    ),
    ("SELECT, INSERT", "payable_item"),
    ("SELECT, INSERT, UPDATE (last)", "receipt_counter"),
    (
        "SELECT, INSERT, UPDATE (state, decline_code, declines, transaction_id, international, told_at, authorised_at,
            captured_at, due_at, tries, lease, lease_until, capture_refusals, returned_at, settled)",
        "attempt",
    ),
    ("SELECT, INSERT, UPDATE (state, refusals, not_before, sent_at, ended_at)", "reversal"),
    (
        "SELECT, INSERT, UPDATE (state, refusals, refused_since, not_before, sent_at, completed_at, released)",
        "refund",
    ),
    ("SELECT, INSERT", "answer"),
    ("SELECT, INSERT", "sale"),
    ("SELECT, INSERT, UPDATE (ours, theirs), DELETE", "difference"),
    ("SELECT, INSERT, UPDATE (after, unanswered, ended_at)", "reconciliation_run"),
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
