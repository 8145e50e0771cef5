//! Table `receipt_counter`.

use sqlx::PgConnection;

use super::StoreError;

/// Takes the next number of a civil year. The counter stays locked until the transaction ends: whoever takes a number stores its receipt,
/// or nobody has taken it.
///
/// # Errors
/// [`StoreError`].
pub async fn take_number(conn: &mut PgConnection, year: i32) -> Result<i32, StoreError> {
    let number = sqlx::query_scalar(
        "INSERT INTO receipt_counter (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = receipt_counter.last + 1 RETURNING last",
    )
    .bind(year)
    .fetch_one(conn)
    .await?;
    Ok(number)
}
