//! One request of the caller's.

use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, authorise};
use crate::domain::request::LegalisationRequest;
use crate::store::requests;

/// Shows a request to its applicant.
///
/// # Errors
/// [`AppError::NotFound`] for anybody else.
pub async fn get_request(app: &App, caller: &Caller, request_id: Uuid) -> Result<RequestView, AppError> {
    authorise::citizen(caller)?;
    let mut conn = app.pool.acquire().await?;
    let request = requests::find(&mut conn, request_id).await?;
    let request = own(request, caller, request_id)?;
    view::of(&mut conn, request).await
}

/// Locks a request of the caller's.
pub(super) async fn lock_own(
    conn: &mut PgConnection,
    caller: &Caller,
    request_id: Uuid,
) -> Result<LegalisationRequest, AppError> {
    own(requests::lock(conn, request_id).await?, caller, request_id)
}

/// The request, if it is the caller's.
pub(super) fn own(
    request: Option<LegalisationRequest>,
    caller: &Caller,
    request_id: Uuid,
) -> Result<LegalisationRequest, AppError> {
    request
        .filter(|request| request.opening.applicant_id == caller.person_id)
        .ok_or_else(|| AppError::request_not_found(request_id))
}
