//! An agent accepts after comparing.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, review, write};
use crate::domain::comparison::{Comparison, Declared};
use crate::domain::role;
use crate::store::{claims, requests, reviews};

/// Accepts the request. SUBMITTED → AGENT_ACCEPTED
///
/// # Errors
/// [`AppError`]: `CLAIM_MISSING`, `COMPARISON_NOT_SHOWN`, `COMPARISON_MISMATCH`, `COMPARISON_DIFFERS`, `FOUR_EYES`.
pub async fn accept_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    declared: Declared,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    let prepared =
        idempotent::prepare(app, command, review::live(app, caller, request_id, role::AGENT)).await?;
    let mut transaction = match prepared {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = review::visible(request, caller, request_id)?;
    review::holding_claim(&mut transaction, app, caller, request_id).await?;
    let comparison = comparison(&mut transaction, app, caller, request_id, declared).await?;
    let details = json!({
        "result": comparison.result.as_str(),
        "specimen_version": comparison.specimen_version,
        "region_sha256": data_encoding::HEXLOWER.encode(&comparison.region_sha256),
        "specimen_sha256": data_encoding::HEXLOWER.encode(&comparison.specimen_sha256),
    });
    let (request, fact) = request.accept(comparison, app.ambient.now())?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    claims::remove(&mut transaction, request_id).await?;
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.accept",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}

/// The record of what the caller declares, which must be about what was last shown to them.
pub(super) async fn comparison(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    request_id: Uuid,
    declared: Declared,
) -> Result<Comparison, AppError> {
    let shown = reviews::last_shown(conn, request_id, caller.person_id)
        .await?
        .ok_or_else(|| {
            AppError::refused(
                "COMPARISON_NOT_SHOWN",
                request_id,
                "signature and specimen have not been shown to this agent",
            )
        })?;
    if !declared.is_about(&shown) {
        return Err(AppError::refused(
            "COMPARISON_MISMATCH",
            request_id,
            "the comparison is not about the pictures last shown to this agent",
        ));
    }
    Ok(declared.recorded(caller.person_id, shown, app.ambient.now()))
}
