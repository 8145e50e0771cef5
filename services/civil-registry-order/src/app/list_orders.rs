//! The caller's orders, newest first.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, OrderView};
use crate::app::{App, AppError, authorise};
use crate::store::orders;

/// A page of the caller's orders, and the id after which the next one begins.
///
/// # Errors
/// [`AppError`].
pub async fn list_orders(
    app: &App,
    caller: &Caller,
    before: Option<Uuid>,
    size: u16,
) -> Result<(Vec<OrderView>, Option<Uuid>), AppError> {
    authorise::citizen(caller)?;
    let mut conn = app.pool.acquire().await?;
    let mut ids = orders::ids_of_person(&mut conn, caller.person_id, before, i64::from(size) + 1).await?;
    let more = ids.len() > usize::from(size);
    ids.truncate(usize::from(size));
    let next = ids.last().copied().filter(|_| more);
    let found = orders::get_all(&mut conn, &ids).await?;
    Ok((view::of_all(&mut conn, found).await?, next))
}
