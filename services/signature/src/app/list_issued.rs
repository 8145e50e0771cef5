//! The documents of an office that wait for an officer, with the digests to confirm.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::issued_document::IssuedDocument;
use crate::domain::role::OFFICER;
use crate::store::issued_documents::{self, Filter};

/// Lists what waits at an office, oldest first.
///
/// # Errors
/// [`AppError`].
pub async fn list_to_seal(
    app: &App,
    caller: &Caller,
    filter: &Filter,
) -> Result<Vec<IssuedDocument>, AppError> {
    authorise::staff(caller)?;
    if !caller.holds(filter.office_id, OFFICER) {
        return Err(office_not_found(filter.office_id));
    }
    let mut conn = app.pool.acquire().await?;
    Ok(issued_documents::waiting(&mut conn, filter).await?)
}

fn office_not_found(id: Uuid) -> AppError {
    AppError::NotFound {
        resource: "office",
        id,
    }
}
