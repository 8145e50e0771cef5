//! Writing down what happened to a book: its rows and one event for each fact, in the transaction that holds its lock.

use chrono::Datelike;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Ambient, civil_date};
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::AppError;
use crate::domain::attempt::AttemptState;
use crate::domain::book::Book;
use crate::domain::difference::{self, Reason};
use crate::domain::fact::Fact;
use crate::domain::payable::ReceiptNumber;
use crate::events::publish;
use crate::store::{books, differences, receipts};

/// How an answer is encoded, for storing it with its command.
pub type Encode<T> = fn(&T) -> Vec<u8>;

/// Saves the book as it is now, with the facts that made it so. A payment gets its receipt's number here.
///
/// # Errors
/// [`AppError`]; nothing is to be committed then.
pub async fn record(
    conn: &mut PgConnection,
    ambient: &Ambient,
    before: &Book,
    mut book: Book,
    facts: &[Fact],
) -> Result<Book, AppError> {
    if let Some(payment) = &mut book.payable.payment
        && payment.receipt.is_none()
    {
        let year = civil_date(payment.at).year();
        let number = receipts::take_number(conn, year).await?;
        payment.receipt = Some(ReceiptNumber { year, number });
    }
    let mut events = Vec::with_capacity(facts.len());
    for fact in facts {
        if *fact != Fact::Opened {
            book.payable.version += 1;
        }
        events.push(publish::event_of(&book, fact));
    }
    if before != &book {
        books::save(conn, before, &book).await?;
    }
    for event in events {
        wathiq_outbox::append(conn, ambient, event).await?;
    }
    Ok(book)
}

/// Lists what a provider refuses to give back of an attempt or to capture, or no longer does, and what it gave back by itself.
///
/// # Errors
/// [`AppError::Store`].
pub async fn record_stuck(
    conn: &mut PgConnection,
    ambient: &Ambient,
    book: &Book,
    attempt_id: Uuid,
) -> Result<(), AppError> {
    let found = difference::stuck(book, attempt_id);
    let authorised = book
        .attempt(attempt_id)
        .is_some_and(|attempt| attempt.state == AttemptState::Authorised);
    let mut reasons = vec![Reason::VoidFailed, Reason::RefundFailed, Reason::PaymentLost];
    // A capture that is late stays listed until it has come, though our own book sees no refusal.
    if !authorised {
        reasons.push(Reason::NotCaptured);
    }
    let key = (book.payable.id, attempt_id);
    Ok(differences::replace(conn, key, &reasons, &found, ambient.now()).await?)
}

/// The principal of a service in audit and idempotency records.
pub fn service(peer: &str) -> String {
    format!("service:{peer}")
}

/// The principal of a person in audit and idempotency records.
pub fn person(person_id: Uuid) -> String {
    format!("person:{person_id}")
}

/// Audits what was done to a payable.
///
/// # Errors
/// [`AppError::Audit`].
pub async fn audit(
    conn: &mut PgConnection,
    ambient: &Ambient,
    principal: &str,
    action: &'static str,
    payable_id: Uuid,
    details: Value,
) -> Result<(), AppError> {
    let person_id = principal
        .strip_prefix("person:")
        .and_then(|id| Uuid::try_parse(id).ok());
    let entry = AuditEntry {
        person_id,
        principal,
        action,
        aggregate: "payable",
        aggregate_id: payable_id,
        outcome: "done",
        reason: None,
        details,
    };
    audit::record(conn, ambient, entry).await?;
    Ok(())
}
