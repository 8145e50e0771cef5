//! Table `fee_payment`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::fee_payment::{FeePayment, Task};
use crate::store::StoreError;

const TABLE: &str = "fee_payment";

#[derive(sqlx::FromRow)]
struct Row {
    request_id: Uuid,
    payer_id: Uuid,
    payer_name: String,
    centimes: i64,
    office_code: String,
    expires_at: DateTime<Utc>,
    payable_id: Option<Uuid>,
    paid_at: Option<DateTime<Utc>>,
    task: Option<String>,
    attempts: i32,
}

impl TryFrom<Row> for FeePayment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = || StoreError::Inconsistent {
            table: TABLE,
            column: "task",
            id: row.request_id,
        };
        let task = match &row.task {
            Some(text) => Some(Task::parse(text).ok_or_else(inconsistent)?),
            None => None,
        };
        Ok(Self {
            request_id: row.request_id,
            payer_id: row.payer_id,
            payer_name: row.payer_name,
            centimes: row.centimes,
            office_code: row.office_code,
            expires_at: row.expires_at,
            payable_id: row.payable_id,
            paid_at: row.paid_at,
            task,
            attempts: row.attempts,
        })
    }
}

/// Writes down that a fee is to be paid. Whoever writes it asks payment until `lease_until`.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    payment: &FeePayment,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO fee_payment (request_id, payer_id, payer_name, centimes, office_code, expires_at, task, next_attempt_at,
                                  created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(payment.request_id)
    .bind(payment.payer_id)
    .bind(&payment.payer_name)
    .bind(payment.centimes)
    .bind(&payment.office_code)
    .bind(payment.expires_at)
    .bind(payment.task.map(Task::as_str))
    .bind(lease_until)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads the payment of a request.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, request_id: Uuid) -> Result<Option<FeePayment>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM fee_payment WHERE request_id = $1")
        .bind(request_id)
        .fetch_optional(conn)
        .await?;
    row.map(FeePayment::try_from).transpose()
}

/// Reads the payment of a request to change it. The request's own row is locked before.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, request_id: Uuid) -> Result<Option<FeePayment>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM fee_payment WHERE request_id = $1 FOR UPDATE")
        .bind(request_id)
        .fetch_optional(conn)
        .await?;
    row.map(FeePayment::try_from).transpose()
}

/// Payables of requests, by request; those that payment has not opened are missing.
///
/// # Errors
/// [`StoreError`].
pub async fn payables(conn: &mut PgConnection, requests: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let found = sqlx::query_as(
        "SELECT request_id, payable_id FROM fee_payment WHERE request_id = ANY ($1) AND payable_id IS NOT NULL",
    )
    .bind(requests)
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Takes up to `limit` payments about which payment is to be asked, for this process until `lease_until`.
///
/// # Errors
/// [`StoreError`].
pub async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let due = sqlx::query_scalar(
        "UPDATE fee_payment SET next_attempt_at = $2, attempts = attempts + 1
         WHERE request_id IN (SELECT request_id FROM fee_payment WHERE task IS NOT NULL AND next_attempt_at <= $1
                              ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING request_id",
    )
    .bind(now)
    .bind(lease_until)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(due)
}

/// Sets what payment is to be asked from now on, at once; nothing where the next word is payment's.
///
/// # Errors
/// [`StoreError`].
pub async fn set_task(
    conn: &mut PgConnection,
    request_id: Uuid,
    task: Option<Task>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE fee_payment SET task = $2, next_attempt_at = $3, attempts = 0
         WHERE request_id = $1 AND task IS DISTINCT FROM $2",
    )
    .bind(request_id)
    .bind(task.map(Task::as_str))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets when payment is asked again.
///
/// # Errors
/// [`StoreError`].
pub async fn postpone(
    conn: &mut PgConnection,
    request_id: Uuid,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE fee_payment SET next_attempt_at = $2 WHERE request_id = $1")
        .bind(request_id)
        .bind(until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps the payable, and with it what is to be asked next.
///
/// # Errors
/// [`StoreError`].
pub async fn save_payable(
    conn: &mut PgConnection,
    request_id: Uuid,
    payable_id: Uuid,
    next: Option<Task>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE fee_payment SET payable_id = $2, task = $3, next_attempt_at = $4, attempts = 0 WHERE request_id = $1",
    )
    .bind(request_id)
    .bind(payable_id)
    .bind(next.map(Task::as_str))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps that it is paid, with its payable; the first word stays.
///
/// # Errors
/// [`StoreError`].
pub async fn save_paid(
    conn: &mut PgConnection,
    request_id: Uuid,
    payable_id: Uuid,
    next: Option<Task>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE fee_payment SET payable_id = $2, paid_at = coalesce(paid_at, $4), task = $3, next_attempt_at = $4, attempts = 0
         WHERE request_id = $1",
    )
    .bind(request_id)
    .bind(payable_id)
    .bind(next.map(Task::as_str))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What payment has told of the end of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nobody can pay any more.
    Closed,
    Refunded,
    RefundFailed,
}

/// Keeps what payment has told; the first word stays.
///
/// # Errors
/// [`StoreError`].
pub async fn save_told(
    conn: &mut PgConnection,
    request_id: Uuid,
    told: Told,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = match told {
        Told::Closed => "UPDATE fee_payment SET closed_at = coalesce(closed_at, $2) WHERE request_id = $1",
        Told::Refunded => {
            "UPDATE fee_payment SET refunded_at = coalesce(refunded_at, $2) WHERE request_id = $1"
        }
        Told::RefundFailed => {
            "UPDATE fee_payment SET refund_failed_at = coalesce(refund_failed_at, $2) WHERE request_id = $1"
        }
    };
    sqlx::query(sql).bind(request_id).bind(now).execute(conn).await?;
    Ok(())
}
