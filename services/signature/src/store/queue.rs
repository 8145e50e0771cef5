//! The office's queue: open requests, oldest filing first.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::request::LegalisationRequest;
use crate::domain::state::State;
use crate::store::StoreError;
use crate::store::requests::Row;

/// What to list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Office and state pairs the caller may see.
    pub visible: Vec<(Uuid, State)>,
    pub kind: Option<String>,
    /// Leaves out what somebody other than this person holds.
    pub not_claimed_by_others_than: Option<Uuid>,
    /// Continues after this entry.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub limit: i64,
}

/// A page of the queue.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    now: DateTime<Utc>,
) -> Result<Vec<LegalisationRequest>, StoreError> {
    let (offices, states): (Vec<Uuid>, Vec<&str>) = filter
        .visible
        .iter()
        .map(|(office, state)| (*office, state.as_str()))
        .unzip();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT request.* FROM legalisation_request AS request
         JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[]) AS pair (office_id, state)) AS visible
              ON visible.office_id = request.office_id AND visible.state = request.state
         LEFT JOIN claim ON claim.request_id = request.id AND claim.lapses_at > $3
         WHERE request.state IN ('SUBMITTED', 'AGENT_ACCEPTED', 'AWAITING_SIGNATURE')
           AND ($4::text IS NULL OR request.kind = $4)
           AND ($5::uuid IS NULL OR claim.person_id IS NULL OR claim.person_id = $5)
           AND ($6::timestamptz IS NULL OR (request.submitted_at, request.id) > ($6, $7::uuid))
         ORDER BY request.submitted_at, request.id LIMIT $8",
    )
    .bind(offices)
    .bind(states)
    .bind(now)
    .bind(&filter.kind)
    .bind(filter.not_claimed_by_others_than)
    .bind(filter.after.map(|(at, _)| at))
    .bind(filter.after.map(|(_, id)| id))
    .bind(filter.limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(LegalisationRequest::try_from).collect()
}
