//! Table `sale`: which attempt a provider's transaction belongs to.

use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use crate::domain::provider::Provider;

/// Claims transactions for an attempt; gives those that belong to another one. Whoever claims the same ones waits until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(
    conn: &mut PgConnection,
    provider: Provider,
    attempt_id: Uuid,
    transactions: &[&str],
) -> Result<Vec<String>, StoreError> {
    if transactions.is_empty() {
        return Ok(Vec::new());
    }
    // In one order for everybody, so that two never wait for each other.
    sqlx::query(
        "INSERT INTO sale (provider, transaction_id, attempt_id)
         SELECT $1, transaction_id, $2 FROM unnest($3::text[]) AS named (transaction_id) ORDER BY transaction_id
         ON CONFLICT (provider, transaction_id) DO NOTHING",
    )
    .bind(provider.as_str())
    .bind(attempt_id)
    .bind(transactions)
    .execute(&mut *conn)
    .await?;
    // In a statement of its own: what was waited for is seen.
    let others = sqlx::query_scalar(
        "SELECT transaction_id FROM sale WHERE provider = $1 AND transaction_id = ANY ($3) AND attempt_id <> $2",
    )
    .bind(provider.as_str())
    .bind(attempt_id)
    .bind(transactions)
    .fetch_all(conn)
    .await?;
    Ok(others)
}
