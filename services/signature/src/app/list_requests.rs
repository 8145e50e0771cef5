//! The caller's requests, newest first.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, authorise};
use crate::domain::state::State;
use crate::store::requests;

/// A page of requests.
#[derive(Debug)]
pub struct RequestPage {
    pub requests: Vec<RequestView>,
    /// The last one shown, where more follow.
    pub next: Option<Uuid>,
}

/// Lists requests of the caller, at most `size`, older than `before`.
///
/// # Errors
/// [`AppError`].
pub async fn list_requests(
    app: &App,
    caller: &Caller,
    states: &[State],
    before: Option<Uuid>,
    size: u16,
) -> Result<RequestPage, AppError> {
    authorise::citizen(caller)?;
    let mut conn = app.pool.acquire().await?;
    let mut found =
        requests::list_of_applicant(&mut conn, caller.person_id, states, before, i64::from(size) + 1).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = if more {
        found.last().map(|request| request.id)
    } else {
        None
    };
    Ok(RequestPage {
        requests: view::of_all(&mut conn, found).await?,
        next,
    })
}
