//! Table `legalisation_request`.

mod row;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::domain::placement::Mark;
use crate::domain::request::LegalisationRequest;
use crate::domain::state::State;
use crate::store::StoreError;
pub(crate) use row::Row;

const TABLE: &str = "legalisation_request";

/// The columns in the order in which [`bind`] binds them; `id` and `version` come first.
const COLUMNS: &[&str] = &[
    "id",
    "version",
    "state",
    "applicant_id",
    "document_id",
    "office_id",
    "kind",
    "destination",
    "mandatary",
    "fee_centimes",
    "resubmission_of",
    "page_number",
    "rectangle_x",
    "rectangle_y",
    "rectangle_width",
    "rectangle_height",
    "mark",
    "strokes",
    "confirmation_id",
    "confirmation_method",
    "confirmed_at",
    "confirmation_jws",
    "subject_hash",
    "confirmed_specimen",
    "signer",
    "receipt_number",
    "submitted_at",
    "expected_on",
    "agent_id",
    "comparison_result",
    "comparison_note",
    "specimen_version",
    "specimen_proof_method",
    "specimen_proof_office_id",
    "specimen_proof_at",
    "region_sha256",
    "specimen_sha256",
    "compared_at",
    "return_note",
    "refusal_code",
    "refusal_text",
    "refusal_level",
    "refused_by",
    "refused_at",
    "intent_id",
    "officer_id",
    "authorised_at",
    "sealed_at",
    "delivered_at",
    "created_at",
    "updated_at",
    "expires_at",
];

/// Columns that no transition changes; the application role may not either.
const FIXED: &[&str] = &[
    "id",
    "applicant_id",
    "document_id",
    "office_id",
    "kind",
    "destination",
    "mandatary",
    "fee_centimes",
    "resubmission_of",
    "created_at",
];

/// Reads a request.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<LegalisationRequest>, StoreError> {
    one(conn, "SELECT * FROM legalisation_request WHERE id = $1", id).await
}

/// Reads a request and locks its row until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<LegalisationRequest>, StoreError> {
    one(
        conn,
        "SELECT * FROM legalisation_request WHERE id = $1 FOR UPDATE",
        id,
    )
    .await
}

async fn one(
    conn: &mut PgConnection,
    sql: &'static str,
    id: Uuid,
) -> Result<Option<LegalisationRequest>, StoreError> {
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(LegalisationRequest::try_from).transpose()
}

/// A page of a person's requests, newest first, in the given states (all when empty), older than `before`.
///
/// # Errors
/// [`StoreError`].
pub async fn list_of_applicant(
    conn: &mut PgConnection,
    applicant_id: Uuid,
    states: &[State],
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<LegalisationRequest>, StoreError> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM legalisation_request
         WHERE applicant_id = $1 AND (cardinality($2::text[]) = 0 OR state = ANY ($2)) AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4",
    )
    .bind(applicant_id)
    .bind(states)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(LegalisationRequest::try_from).collect()
}

/// Ids of requests whose state has run out, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn expired(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar(
        "SELECT id FROM legalisation_request WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Since when the oldest request in each open state has been in it; none where no request is.
///
/// # Errors
/// [`StoreError`].
pub async fn oldest_waiting(
    conn: &mut PgConnection,
) -> Result<Vec<(State, Option<DateTime<Utc>>)>, StoreError> {
    let rows: Vec<(String, Option<DateTime<Utc>>)> = sqlx::query_as(
        "SELECT waiting.state, min(request.updated_at)
         FROM unnest(ARRAY['SUBMITTED', 'AGENT_ACCEPTED', 'AWAITING_SIGNATURE']) AS waiting (state)
         LEFT JOIN legalisation_request AS request ON request.state = waiting.state
             AND request.state IN ('SUBMITTED', 'AGENT_ACCEPTED', 'AWAITING_SIGNATURE')
         GROUP BY waiting.state",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(state, since)| Some((State::parse(&state)?, since)))
        .collect())
}

/// Inserts a new request.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, request: &LegalisationRequest) -> Result<(), StoreError> {
    let places: Vec<String> = (1..=COLUMNS.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "INSERT INTO {TABLE} ({}) VALUES ({})",
        COLUMNS.join(", "),
        places.join(", ")
    );
    // The text is put together from constants of this file.
    bind(sqlx::query(AssertSqlSafe(sql)), request)?
        .execute(conn)
        .await?;
    Ok(())
}

/// Saves a request after one transition: its row must still be at the version before.
///
/// # Errors
/// [`StoreError::LostRace`] when it is not.
pub async fn save(conn: &mut PgConnection, request: &LegalisationRequest) -> Result<(), StoreError> {
    let assignments: Vec<String> = COLUMNS
        .iter()
        .enumerate()
        .filter(|(_, column)| !FIXED.contains(column))
        .map(|(index, column)| format!("{column} = ${}", index + 1))
        .collect();
    let sql = format!(
        "UPDATE {TABLE} SET {} WHERE id = $1 AND version = $2 - 1",
        assignments.join(", ")
    );
    // The text is put together from constants of this file.
    let done = bind(sqlx::query(AssertSqlSafe(sql)), request)?
        .execute(conn)
        .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::LostRace {
            table: TABLE,
            id: request.id,
        })
    }
}

type Statement = Query<'static, Postgres, PgArguments>;

fn bind(query: Statement, request: &LegalisationRequest) -> Result<Statement, StoreError> {
    let opening = &request.opening;
    let query = query
        .bind(request.id)
        .bind(request.version)
        .bind(request.state.as_str())
        .bind(opening.applicant_id)
        .bind(opening.document_id)
        .bind(opening.office_id)
        .bind(opening.kind.clone())
        .bind(sqlx::types::Json(opening.destination.clone()))
        .bind(opening.mandatary.clone().map(sqlx::types::Json))
        .bind(opening.fee_centimes)
        .bind(opening.resubmission_of);
    let query = bind_placement(query, request)?;
    let query = bind_filing(query, request);
    let query = bind_comparison(query, request);
    Ok(bind_end(query, request))
}

fn bind_placement(query: Statement, request: &LegalisationRequest) -> Result<Statement, StoreError> {
    let placement = request.placement.as_ref();
    let rectangle = placement.map(|placement| placement.rectangle);
    let page = placement
        .map(|placement| i32::try_from(placement.page_number))
        .transpose()
        .map_err(|_| StoreError::Inconsistent {
            table: TABLE,
            column: "page_number",
            id: request.id,
        })?;
    let (mark, strokes) = match placement.map(|placement| &placement.mark) {
        Some(Mark::Drawn(strokes)) => (Some("DRAWN"), Some(strokes.encode())),
        Some(Mark::Standing) => (Some("STANDING"), None),
        None => (None, None),
    };
    Ok(query
        .bind(page)
        .bind(rectangle.map(|rectangle| rectangle.x))
        .bind(rectangle.map(|rectangle| rectangle.y))
        .bind(rectangle.map(|rectangle| rectangle.width))
        .bind(rectangle.map(|rectangle| rectangle.height))
        .bind(mark)
        .bind(strokes))
}

fn bind_filing(query: Statement, request: &LegalisationRequest) -> Statement {
    let confirmation = request.confirmation.as_ref();
    let receipt = request.receipt.as_ref();
    query
        .bind(confirmation.map(|confirmation| confirmation.confirmation_id))
        .bind(confirmation.map(|confirmation| confirmation.method.clone()))
        .bind(confirmation.map(|confirmation| confirmation.confirmed_at))
        .bind(confirmation.map(|confirmation| confirmation.jws.clone()))
        .bind(confirmation.map(|confirmation| confirmation.subject_hash.to_vec()))
        .bind(confirmation.map(|confirmation| confirmation.specimen_version))
        .bind(confirmation.map(|confirmation| sqlx::types::Json(confirmation.signer.clone())))
        .bind(receipt.map(|receipt| receipt.number.clone()))
        .bind(receipt.map(|receipt| receipt.submitted_at))
        .bind(receipt.map(|receipt| receipt.expected_on))
}

fn bind_comparison(query: Statement, request: &LegalisationRequest) -> Statement {
    let comparison = request.comparison.as_ref();
    query
        .bind(comparison.map(|comparison| comparison.agent_id))
        .bind(comparison.map(|comparison| comparison.result.as_str()))
        .bind(comparison.map(|comparison| comparison.note.clone()))
        .bind(comparison.map(|comparison| comparison.specimen_version))
        .bind(comparison.map(|comparison| comparison.specimen_proof.method.clone()))
        .bind(comparison.and_then(|comparison| comparison.specimen_proof.office_id))
        .bind(comparison.map(|comparison| comparison.specimen_proof.at))
        .bind(comparison.map(|comparison| comparison.region_sha256.to_vec()))
        .bind(comparison.map(|comparison| comparison.specimen_sha256.to_vec()))
        .bind(comparison.map(|comparison| comparison.compared_at))
}

fn bind_end(query: Statement, request: &LegalisationRequest) -> Statement {
    let refusal = request.refusal.as_ref();
    let seal = request.seal.as_ref();
    query
        .bind(request.return_note.clone())
        .bind(refusal.map(|refusal| refusal.reason_code.clone()))
        .bind(refusal.map(|refusal| refusal.text.clone()))
        .bind(refusal.map(|refusal| refusal.level.as_str()))
        .bind(refusal.map(|refusal| refusal.refused_by))
        .bind(refusal.map(|refusal| refusal.refused_at))
        .bind(seal.map(|seal| seal.intent_id))
        .bind(seal.map(|seal| seal.officer_id))
        .bind(seal.map(|seal| seal.authorised_at))
        .bind(seal.and_then(|seal| seal.sealed_at))
        .bind(seal.and_then(|seal| seal.delivered_at))
        .bind(request.created_at)
        .bind(request.updated_at)
        .bind(request.expires_at)
}
