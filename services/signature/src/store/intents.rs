//! Tables `seal_intent`, `seal_file` and `seal_authorisation`.

mod files;
mod row;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::intent::{IntentState, SealIntent};
use crate::store::StoreError;
pub use files::{
    Authorisation, Due, add_page, authorise, claim_due, needless, note_hindrance, postpone, save_finished,
    save_prepared, save_signed,
};
use row::{FileRow, Row};

pub(super) const TABLE: &str = "seal_intent";

/// An intent with its files.
const SELECT: &str = "SELECT seal_intent.*, register_entry.entered_on FROM seal_intent
    JOIN register_entry ON register_entry.intent_id = seal_intent.id";

/// Adds an intent whose register entry has been added, with its first file frozen.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    intent: &SealIntent,
    retry_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO seal_intent (id, request_id, office_id, officer_id, agent_id, applicant_id, credential_id, state,
                                  register_year, register_number, code, salt, recipe, page_recipe, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(intent.id)
    .bind(intent.request_id)
    .bind(intent.office_id)
    .bind(intent.officer_id)
    .bind(intent.agent_id)
    .bind(intent.applicant_id)
    .bind(intent.credential_id)
    .bind(intent.state.as_str())
    .bind(intent.register.year)
    .bind(intent.register.number)
    .bind(intent.code.as_str())
    .bind(&intent.salt.0[..])
    .bind(row::recipe_text(&intent.recipe)?)
    .bind(intent.page_recipe.as_ref().map(row::recipe_text).transpose()?)
    .bind(intent.created_at)
    .execute(&mut *conn)
    .await?;
    for file in &intent.files {
        files::insert_frozen(conn, intent.id, file.kind, retry_at).await?;
    }
    Ok(())
}

/// Reads an intent.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<SealIntent>, StoreError> {
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE seal_intent.id = $1")))
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(whole(conn, row.into_iter().collect()).await?.pop())
}

/// Reads an intent and locks it until the transaction ends. Locks are taken in the order request, then intent.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<SealIntent>, StoreError> {
    let locked: Option<Uuid> = sqlx::query_scalar("SELECT id FROM seal_intent WHERE id = $1 FOR UPDATE")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    match locked {
        Some(id) => find(conn, id).await,
        None => Ok(None),
    }
}

/// The intent of a request that is not annulled.
///
/// # Errors
/// [`StoreError`].
pub async fn standing(conn: &mut PgConnection, request_id: Uuid) -> Result<Option<SealIntent>, StoreError> {
    let sql = format!("{SELECT} WHERE seal_intent.request_id = $1 AND seal_intent.state <> 'ANNULLED'");
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(request_id)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(whole(conn, row.into_iter().collect()).await?.pop())
}

/// The intents of these requests that are not annulled.
///
/// # Errors
/// [`StoreError`].
pub async fn standing_of(
    conn: &mut PgConnection,
    request_ids: &[Uuid],
) -> Result<Vec<SealIntent>, StoreError> {
    let sql = format!("{SELECT} WHERE seal_intent.request_id = ANY ($1) AND seal_intent.state <> 'ANNULLED'");
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(request_ids)
        .fetch_all(&mut *conn)
        .await?;
    whole(conn, rows).await
}

/// The intent with this verification code of which a sealed file exists: one that is sealed, or one that was annulled after
/// its document was.
///
/// # Errors
/// [`StoreError`].
pub async fn issued_with_code(conn: &mut PgConnection, code: &str) -> Result<Option<SealIntent>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE seal_intent.code = $1 AND seal_intent.state <> 'OPEN'
           AND EXISTS (SELECT FROM sealed_revision WHERE intent_id = seal_intent.id)"
    );
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(code)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(whole(conn, row.into_iter().collect()).await?.pop())
}

/// Which open intents to list.
pub struct Filter {
    pub office_id: Uuid,
    pub officer_id: Uuid,
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// An officer's open intents at an office, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn open_of(conn: &mut PgConnection, filter: &Filter) -> Result<Vec<SealIntent>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE seal_intent.office_id = $1 AND seal_intent.officer_id = $2 AND seal_intent.state = 'OPEN'
           AND ($3::uuid IS NULL OR seal_intent.id > $3)
         ORDER BY seal_intent.id LIMIT $4"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(filter.office_id)
        .bind(filter.officer_id)
        .bind(filter.after)
        .bind(filter.limit)
        .fetch_all(&mut *conn)
        .await?;
    whole(conn, rows).await
}

/// Ends an open intent.
///
/// # Errors
/// [`StoreError::LostRace`] when it is not open.
pub async fn end(conn: &mut PgConnection, id: Uuid, state: IntentState) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE seal_intent SET state = $2 WHERE id = $1 AND state = 'OPEN'")
        .bind(id)
        .bind(state.as_str())
        .execute(conn)
        .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::LostRace { table: TABLE, id })
    }
}

async fn whole(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<SealIntent>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // DOCUMENT sorts before LEGALISATION_PAGE.
    let files: Vec<FileRow> =
        sqlx::query_as("SELECT * FROM seal_file WHERE intent_id = ANY ($1) ORDER BY intent_id, kind")
            .bind(&ids)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|row| row.with_files(&files)).collect()
}
