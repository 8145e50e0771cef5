//! Ends the states that have run out.

use serde_json::json;
use uuid::Uuid;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::{App, AppError, fees, write};
use crate::domain::transition::TransitionError;
use crate::store::{StoreError, requests};

/// How many at a time.
const BATCH: i64 = 100;

/// Expires what has run out, at most a hundred, and returns their number. Two replicas may do this at the same time. A request
/// that cannot be expired is named in the log and does not keep the others.
///
/// # Errors
/// [`AppError`] when the database does not answer.
pub async fn expire_requests(app: &App) -> Result<usize, AppError> {
    let ids = {
        let mut conn = app.pool.acquire().await?;
        requests::expired(&mut conn, app.ambient.now(), BATCH).await?
    };
    let mut expired = 0;
    for id in ids {
        match expire(app, id).await {
            Ok(done) => expired += usize::from(done),
            Err(error) if is_about_one(&error) => {
                let error = wathiq_chassis::status::chain(&error);
                tracing::error!(event = "request.not_expired", request_id = %id, error, "a request does not expire");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(expired)
}

/// Whether the next request may fare better: the database has answered, and what it said is about this one.
fn is_about_one(error: &AppError) -> bool {
    !matches!(
        error,
        AppError::Store(StoreError::Database(database)) if database.as_database_error().is_none()
    )
}

async fn expire(app: &App, id: Uuid) -> Result<bool, AppError> {
    let mut transaction = app.pool.begin().await?;
    let Some(request) = requests::lock(&mut transaction, id).await? else {
        return Ok(false);
    };
    let before = request.state;
    let (request, fact) = match request.expire(app.ambient.now()) {
        Ok(done) => done,
        // Somebody was faster: the citizen, or another replica.
        Err(TransitionError::State { .. } | TransitionError::NotExpired) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    fees::end(&mut transaction, id, false, app.ambient.now()).await?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    let entry = AuditEntry {
        person_id: None,
        principal: "service:signature",
        action: "legalisation_request.expire",
        aggregate: "legalisation_request",
        aggregate_id: id,
        outcome: "done",
        reason: None,
        details: json!({ "state_before": before.as_str() }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    transaction.commit().await?;
    Ok(true)
}
