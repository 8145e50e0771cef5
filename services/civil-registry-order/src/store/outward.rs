//! What other services are to be asked.

pub mod wake;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::order::fact::OutwardKind;
use crate::domain::order::progress::Pending;
use crate::store::{StoreError, each};

/// Something to be asked, with this process at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Also the request id of the call.
    pub id: Uuid,
    pub kind: OutwardKind,
    pub subject: Uuid,
    pub order_id: Option<Uuid>,
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
}

type TaskRow = (Uuid, String, Uuid, Option<Uuid>, i32, DateTime<Utc>);

fn task((id, kind, subject, order_id, attempts, created_at): TaskRow) -> Result<Task, StoreError> {
    let kind = OutwardKind::parse(&kind).ok_or(StoreError::Inconsistent {
        table: "outward",
        column: "kind",
        id,
    })?;
    Ok(Task {
        id,
        kind,
        subject,
        order_id,
        attempts,
        created_at,
    })
}

/// Writes down what is due; the drivers are woken when the transaction commits. With a lease, whoever writes it asks at once.
///
/// # Errors
/// [`StoreError`].
pub async fn add(
    conn: &mut PgConnection,
    task: &Task,
    leased_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    add_all(conn, std::slice::from_ref(task), leased_until).await
}

/// As [`add`], of several tasks, which are asked in their order where they are of one subject.
///
/// # Errors
/// [`StoreError`].
pub async fn add_all(
    conn: &mut PgConnection,
    tasks: &[Task],
    leased_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    if tasks.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "WITH added AS (
             INSERT INTO outward (id, kind, subject_id, order_id, state, next_attempt_at, leased_until, created_at)
             SELECT id, kind, subject_id, order_id, 'PENDING', created_at, $6, created_at
             FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[])
                  WITH ORDINALITY AS new (id, kind, subject_id, order_id, created_at, place)
             ORDER BY place
             RETURNING kind)
         SELECT pg_notify($7, kind) FROM added WHERE $6 IS NULL GROUP BY kind",
    )
    .bind(each(tasks, |task| task.id))
    .bind(each(tasks, |task| task.kind.as_str()))
    .bind(each(tasks, |task| task.subject))
    .bind(each(tasks, |task| task.order_id))
    .bind(each(tasks, |task| task.created_at))
    .bind(leased_until)
    .bind(wake::CHANNEL)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` tasks of these kinds that are due and that nobody is at, none behind another of the same subject.
///
/// # Errors
/// [`StoreError`].
pub async fn take(
    conn: &mut PgConnection,
    kinds: &[OutwardKind],
    now: DateTime<Utc>,
    lease: TimeDelta,
    limit: i64,
) -> Result<Vec<Task>, StoreError> {
    let rows: Vec<TaskRow> = sqlx::query_as(
        "UPDATE outward SET leased_until = $2
         WHERE id IN (
            SELECT o.id FROM outward o
             WHERE o.state = 'PENDING' AND o.kind = ANY ($4) AND o.next_attempt_at <= $1
               AND (o.leased_until IS NULL OR o.leased_until <= $1)
               AND NOT EXISTS (SELECT FROM outward e
                                WHERE e.subject_id = o.subject_id AND e.state = 'PENDING' AND e.sequence < o.sequence)
             ORDER BY o.next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, kind, subject_id, order_id, attempts, created_at",
    )
    .bind(now)
    .bind(now + lease)
    .bind(limit)
    .bind(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(task).collect()
}

/// The task is done, or refused for good. Gives `false` where it had ended before.
///
/// # Errors
/// [`StoreError`].
pub async fn end(
    conn: &mut PgConnection,
    id: Uuid,
    refused: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(end_all(conn, &[(id, refused)], now).await? == 1)
}

/// As [`end`], of several tasks; gives the number of those that had not ended before.
///
/// # Errors
/// [`StoreError`].
pub async fn end_all(
    conn: &mut PgConnection,
    ended: &[(Uuid, Option<&str>)],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let (ids, refused): (Vec<Uuid>, Vec<Option<&str>>) = ended.iter().copied().unzip();
    let sql =
        "UPDATE outward o SET state = CASE WHEN n.refused IS NULL THEN 'DONE' ELSE 'REFUSED' END, hindrance = n.refused, ended_at = $3,
                   leased_until = NULL
               FROM unnest($1::uuid[], $2::text[]) AS n (id, refused)
               WHERE o.id = n.id AND o.state = 'PENDING'";
    let done = sqlx::query(sql)
        .bind(ids)
        .bind(refused)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Deletes at most `limit` of the tasks that were done before `before`; gives their number. What was refused for good stays.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_done(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    let sql = "DELETE FROM outward WHERE id IN (
                   SELECT id FROM outward WHERE state = 'DONE' AND ended_at < $1 ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let done = sqlx::query(sql).bind(before).bind(limit).execute(conn).await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// The task is asked again later.
///
/// # Errors
/// [`StoreError`].
pub async fn put_off(
    conn: &mut PgConnection,
    id: Uuid,
    hindrance: &str,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "UPDATE outward SET attempts = attempts + 1, hindrance = $2, next_attempt_at = $3, leased_until = NULL
               WHERE id = $1 AND state = 'PENDING'";
    sqlx::query(sql)
        .bind(id)
        .bind(hindrance)
        .bind(until)
        .execute(conn)
        .await?;
    Ok(())
}

/// What is not answered yet, of these orders: pairs of order and task.
///
/// # Errors
/// [`StoreError`].
pub async fn pending(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<(Uuid, Pending)>, StoreError> {
    let sql = "SELECT id, order_id, kind, subject_id, hindrance IS NOT NULL
               FROM outward WHERE state = 'PENDING' AND order_id = ANY($1) ORDER BY sequence";
    let rows: Vec<(Uuid, Uuid, String, Uuid, bool)> =
        sqlx::query_as(sql).bind(orders).fetch_all(conn).await?;
    rows.into_iter()
        .map(|(id, order_id, kind, subject, hindered)| {
            let kind = OutwardKind::parse(&kind).ok_or(StoreError::Inconsistent {
                table: "outward",
                column: "kind",
                id,
            })?;
            let pending = Pending {
                kind,
                subject,
                hindered,
            };
            Ok((order_id, pending))
        })
        .collect()
}

/// Number and age in seconds of the oldest of what is not answered yet, by kind.
///
/// # Errors
/// [`StoreError`].
pub async fn ages(conn: &mut PgConnection) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
    let sql = "SELECT kind, min(created_at) FROM outward WHERE state = 'PENDING' GROUP BY kind";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}
