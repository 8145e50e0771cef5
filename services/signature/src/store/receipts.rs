//! Table `receipt_counter`.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::StoreError;

/// Takes the next receipt number of an office and civil year, and holds the counter until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn next(conn: &mut PgConnection, office_id: Uuid, year: i32) -> Result<i64, StoreError> {
    let number = sqlx::query_scalar(
        "INSERT INTO receipt_counter (office_id, year, last) VALUES ($1, $2, 1)
         ON CONFLICT (office_id, year) DO UPDATE SET last = receipt_counter.last + 1
         RETURNING last",
    )
    .bind(office_id)
    .bind(year)
    .fetch_one(conn)
    .await?;
    Ok(number)
}
