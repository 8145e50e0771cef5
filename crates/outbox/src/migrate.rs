//! Creates the crate's tables and grants the application role exactly what it needs.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgConnection};

/// Apart from sqlx's default name, which the service's own migrations use in the same database.
const MIGRATIONS_TABLE: &str = "_outbox_migrations";

/// One `GRANT` each. Issued records (`outbox`, `audit`, `inbox`) get no `DELETE`, and of their columns only
/// the published mark can be updated. Identity columns need no right on their sequence.
const GRANTS: &[(&str, &str)] = &[
    ("SELECT, INSERT, UPDATE (published_at)", "outbox"),
    ("SELECT, INSERT", "inbox"),
    ("SELECT, INSERT, UPDATE, DELETE", "idempotency"),
    ("SELECT, INSERT", "audit"),
    ("SELECT, INSERT, UPDATE, DELETE", "parked"),
    ("SELECT", MIGRATIONS_TABLE),
];

/// Why migrations were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(
        "this database was made by another form of migration {version}: a released migration never changes; the \
         development state of an older tree is removed by `make clean`"
    )]
    Changed {
        version: i64,
        source: sqlx::migrate::MigrateError,
    },
    #[error("a migration failed")]
    Failed(#[source] sqlx::migrate::MigrateError),
}

/// Applies what is missing of migrations, this crate's or a service's own.
///
/// # Errors
/// [`ApplyError`].
pub async fn apply(migrator: &Migrator, owner: &mut PgConnection) -> Result<(), ApplyError> {
    use sqlx::migrate::MigrateError as Error;
    migrator.run(owner).await.map_err(|source| match source {
        Error::VersionMismatch(version) | Error::VersionMissing(version) => {
            ApplyError::Changed { version, source }
        }
        source => ApplyError::Failed(source),
    })
}

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("migrations of the outbox tables failed")]
    Migration(#[source] ApplyError),
    #[error("granting rights on the outbox tables to role {role} failed")]
    Grant { role: String, source: sqlx::Error },
    #[error("reading the state of the outbox migrations failed")]
    State(#[source] sqlx::Error),
}

/// Brings the tables up to date and sets the rights of `application_role`, which must exist. Run as the owner
/// role, before the service's own migrations; safe to repeat.
///
/// # Errors
/// When a migration fails or was changed after it had been applied, or when the role does not exist.
pub async fn migrate(owner: &mut PgConnection, application_role: &str) -> Result<(), MigrateError> {
    apply(&migrator(), owner).await.map_err(MigrateError::Migration)?;
    for (rights, table) in GRANTS {
        grant(owner, rights, table, application_role)
            .await
            .map_err(|source| MigrateError::Grant {
                role: application_role.to_owned(),
                source,
            })?;
    }
    Ok(())
}

/// Whether all of this crate's migrations are applied; for readiness, as the application role.
///
/// # Errors
/// When the database does not answer. A database without the tables answers `false`.
pub async fn is_current(conn: &mut PgConnection) -> Result<bool, MigrateError> {
    let (exists,): (bool,) = sqlx::query_as("SELECT to_regclass($1) IS NOT NULL")
        .bind(MIGRATIONS_TABLE)
        .fetch_one(&mut *conn)
        .await
        .map_err(MigrateError::State)?;
    if !exists {
        return Ok(false);
    }
    let wanted: Vec<i64> = migrator().iter().map(|migration| migration.version).collect();
    let (missing,): (i64,) = sqlx::query_as(
        "SELECT count(*) FROM unnest($1::bigint[]) AS wanted (version)
         WHERE NOT EXISTS (SELECT FROM _outbox_migrations m WHERE m.version = wanted.version AND m.success)",
    )
    .bind(wanted)
    .fetch_one(conn)
    .await
    .map_err(MigrateError::State)?;
    Ok(missing == 0)
}

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    migrator
}

async fn grant(owner: &mut PgConnection, rights: &str, table: &str, role: &str) -> Result<(), sqlx::Error> {
    // The role's name is quoted by the server. Rights are taken away first, so that a narrower grant of a
    // later version really narrows.
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
