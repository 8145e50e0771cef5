//! Writing a book: what is new is inserted, what changed is updated.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::payable::Payable;
use crate::domain::refund::Refund;
use crate::domain::reversal::Reversal;
use crate::store::StoreError;

/// Inserts a payable; `false` where its owner has one of that reference.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, payable: &Payable) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO payable (id, version, owner, owner_reference, state, amount, payer_person_id, payer_name, payer_email,
             payer_phone, created_at, expires_at, display_reference)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (owner, owner_reference) DO NOTHING",
    )
    .bind(payable.id)
    .bind(payable.version)
    .bind(&payable.owner)
    .bind(&payable.owner_reference)
    .bind(payable.state.as_str())
    .bind(payable.amount)
    .bind(payable.payer.person_id)
    .bind(&payable.payer.name)
    .bind(&payable.payer.email)
    .bind(&payable.payer.phone)
    .bind(payable.created_at)
    .bind(payable.expires_at)
    .bind(&payable.display_reference)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for (position, item) in (0_i16..).zip(&payable.items) {
        sqlx::query(
            "INSERT INTO payable_item (payable_id, position, reference, label_ar, label_fr, amount)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(payable.id)
        .bind(position)
        .bind(&item.reference)
        .bind(&item.label_ar)
        .bind(&item.label_fr)
        .bind(item.amount)
        .execute(&mut *conn)
        .await?;
    }
    Ok(true)
}

/// Saves what changed since `before`, whose row is locked by this transaction.
///
/// # Errors
/// [`StoreError::LostRace`] when the payable's row is not at the version before.
pub async fn save(conn: &mut PgConnection, before: &Book, after: &Book) -> Result<(), StoreError> {
    let id = after.payable.id;
    for attempt in &after.attempts {
        match before.attempt(attempt.id) {
            None => insert_attempt(conn, id, attempt).await?,
            Some(old) if old != attempt => update_attempt(conn, attempt).await?,
            Some(_) => {}
        }
    }
    for refund in &after.refunds {
        match before.refunds.iter().find(|old| old.id == refund.id) {
            None => insert_refund(conn, id, refund).await?,
            Some(old) if old != refund => update_refund(conn, refund).await?,
            Some(_) => {}
        }
    }
    for reversal in &after.reversals {
        match before.reversals.iter().find(|old| old.id == reversal.id) {
            None => insert_reversal(conn, id, reversal).await?,
            Some(old) if old != reversal => update_reversal(conn, reversal).await?,
            Some(_) => {}
        }
    }
    if before.payable == after.payable {
        return Ok(());
    }
    update_payable(conn, before.payable.version, &after.payable).await
}

async fn update_payable(conn: &mut PgConnection, version: i64, payable: &Payable) -> Result<(), StoreError> {
    let payment = payable.payment;
    let receipt = payment.and_then(|payment| payment.receipt);
    let done = sqlx::query(
        "UPDATE payable SET version = $3, state = $4, paid_at = $5, paid_by = $6, receipt_year = $7, receipt_number = $8
         WHERE id = $1 AND version = $2",
    )
    .bind(payable.id)
    .bind(version)
    .bind(payable.version)
    .bind(payable.state.as_str())
    .bind(payment.map(|payment| payment.at))
    .bind(payment.map(|payment| payment.attempt_id))
    .bind(receipt.map(|receipt| receipt.year))
    .bind(receipt.map(|receipt| receipt.number))
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::LostRace {
        table: "payable",
        id: payable.id,
    })
}

async fn insert_attempt(
    conn: &mut PgConnection,
    payable_id: Uuid,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO attempt (id, payable_id, provider, provider_order_id, state, language, phone, decline_code, declines,
             international, created_at, expires_at, due_at, tries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(attempt.id)
    .bind(payable_id)
    .bind(attempt.provider.as_str())
    .bind(&attempt.order_id)
    .bind(attempt.state.as_str())
    .bind(&attempt.language)
    .bind(&attempt.phone)
    .bind(&attempt.decline_code)
    .bind(attempt.declines)
    .bind(attempt.international)
    .bind(attempt.created_at)
    .bind(attempt.expires_at)
    .bind(attempt.due_at)
    .bind(attempt.tries)
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_attempt(conn: &mut PgConnection, attempt: &Attempt) -> Result<(), StoreError> {
    let authorisation = attempt.authorisation.as_ref();
    sqlx::query(
        "UPDATE attempt SET state = $2, decline_code = $3, declines = $4, transaction_id = $5, international = $6, told_at = $7,
             authorised_at = $8, captured_at = $9, due_at = $10, tries = $11, capture_refusals = $12,
             returned_at = $13, settled = false
         WHERE id = $1",
    )
    .bind(attempt.id)
    .bind(attempt.state.as_str())
    .bind(&attempt.decline_code)
    .bind(attempt.declines)
    .bind(authorisation.map(|authorisation| &authorisation.transaction))
    .bind(attempt.international)
    .bind(attempt.told_at)
    .bind(authorisation.map(|authorisation| authorisation.at))
    .bind(attempt.captured_at)
    .bind(attempt.due_at)
    .bind(attempt.tries)
    .bind(attempt.capture_refusals)
    .bind(attempt.returned_at)
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_refund(conn: &mut PgConnection, payable_id: Uuid, refund: &Refund) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO refund (id, payable_id, attempt_id, owner_reference, amount, state, reason_code, refusals, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(refund.id)
    .bind(payable_id)
    .bind(refund.attempt_id)
    .bind(&refund.owner_reference)
    .bind(refund.amount)
    .bind(refund.state.as_str())
    .bind(&refund.reason_code)
    .bind(refund.refusals)
    .bind(refund.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_refund(conn: &mut PgConnection, refund: &Refund) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE refund SET state = $2, refusals = $3, sent_at = $4, completed_at = $5, refused_since = $6, not_before = $7,
             released = $8
         WHERE id = $1",
    )
        .bind(refund.id)
        .bind(refund.state.as_str())
        .bind(refund.refusals)
        .bind(refund.sent_at)
        .bind(refund.completed_at)
        .bind(refund.refused_since)
        .bind(refund.not_before)
        .bind(refund.released)
        .execute(conn)
        .await?;
    Ok(())
}

async fn insert_reversal(
    conn: &mut PgConnection,
    payable_id: Uuid,
    reversal: &Reversal,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO reversal (id, payable_id, attempt_id, transaction_id, amount, state, refusals, created_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(reversal.id)
    .bind(payable_id)
    .bind(reversal.attempt_id)
    .bind(&reversal.transaction)
    .bind(reversal.amount)
    .bind(reversal.state.as_str())
    .bind(reversal.refusals)
    .bind(reversal.created_at)
    .bind(reversal.ended_at)
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_reversal(conn: &mut PgConnection, reversal: &Reversal) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reversal SET state = $2, refusals = $3, sent_at = $4, ended_at = $5, not_before = $6 WHERE id = $1",
    )
    .bind(reversal.id)
    .bind(reversal.state.as_str())
    .bind(reversal.refusals)
    .bind(reversal.sent_at)
    .bind(reversal.ended_at)
    .bind(reversal.not_before)
    .execute(conn)
    .await?;
    Ok(())
}
