//! Parcels of an office.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::order::parcel::Parcel;
use crate::store::{orders, queue};

/// A parcel with its lines.
pub type WithLines = (Parcel, Vec<Uuid>);

/// Lists parcels that wait for the post, or are on their way; and the id after which the next page begins.
///
/// # Errors
/// [`AppError`].
pub async fn list_parcels(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    waiting_only: bool,
    after: Option<Uuid>,
    size: u16,
) -> Result<(Vec<WithLines>, Option<Uuid>), AppError> {
    authorise::works_at(caller, office_id)?;
    let mut conn = app.pool.acquire().await?;
    let mut found = queue::parcels(&mut conn, office_id, waiting_only, after, i64::from(size) + 1).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found.last().filter(|_| more).map(|(_, parcel)| parcel.id);
    Ok((with_lines(&mut conn, found).await?, next))
}

/// Parcels with the ids of their lines.
///
/// # Errors
/// [`AppError`].
pub async fn with_lines(
    conn: &mut sqlx::PgConnection,
    found: Vec<(Uuid, Parcel)>,
) -> Result<Vec<WithLines>, AppError> {
    let mut ids: Vec<Uuid> = found.iter().map(|(order, _)| *order).collect();
    ids.sort_unstable();
    ids.dedup();
    let orders = orders::get_all(conn, &ids).await?;
    let lines = |order_id: Uuid, parcel_id: Uuid| {
        let order = orders.iter().find(|order| order.id == order_id);
        order
            .map(|order| order.lines_of(parcel_id).map(|line| line.id).collect())
            .unwrap_or_default()
    };
    Ok(found
        .into_iter()
        .map(|(order_id, parcel)| {
            let lines = lines(order_id, parcel.id);
            (parcel, lines)
        })
        .collect())
}
