//! Rows and what they say.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::StoreError;
use crate::domain::attempt::{Attempt, AttemptState, Authorisation};
use crate::domain::payable::{Item, Payable, PayableState, Payer, Payment, ReceiptNumber};
use crate::domain::provider::Provider;
use crate::domain::refund::{Refund, RefundState};
use crate::domain::reversal::{Reversal, ReversalState};

fn inconsistent(table: &'static str, column: &'static str, id: Uuid) -> StoreError {
    StoreError::Inconsistent { table, column, id }
}

#[derive(sqlx::FromRow)]
pub(super) struct PayableRow {
    pub(super) id: Uuid,
    version: i64,
    owner: String,
    owner_reference: String,
    display_reference: String,
    state: String,
    amount: i64,
    payer_person_id: Uuid,
    payer_name: String,
    payer_email: String,
    payer_phone: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
    paid_by: Option<Uuid>,
    receipt_year: Option<i32>,
    receipt_number: Option<i32>,
}

impl PayableRow {
    pub(super) fn payable(self, items: Vec<Item>) -> Result<Payable, StoreError> {
        let id = self.id;
        let state = PayableState::parse(&self.state).ok_or(inconsistent("payable", "state", id))?;
        if items.iter().map(|item| item.amount).sum::<i64>() != self.amount {
            return Err(inconsistent("payable", "amount", id));
        }
        let payment = match (self.paid_by, self.paid_at, self.receipt_year, self.receipt_number) {
            (Some(attempt_id), Some(at), Some(year), Some(number)) => Some(Payment {
                attempt_id,
                at,
                receipt: Some(ReceiptNumber { year, number }),
            }),
            (None, None, None, None) => None,
            _ => return Err(inconsistent("payable", "paid_by", id)),
        };
        Ok(Payable {
            id,
            version: self.version,
            owner: self.owner,
            owner_reference: self.owner_reference,
            display_reference: self.display_reference,
            state,
            amount: self.amount,
            items,
            payer: Payer {
                person_id: self.payer_person_id,
                name: self.payer_name,
                email: self.payer_email,
                phone: self.payer_phone,
            },
            created_at: self.created_at,
            expires_at: self.expires_at,
            payment,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct ItemRow {
    pub(super) payable_id: Uuid,
    reference: String,
    label_ar: String,
    label_fr: String,
    amount: i64,
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self {
            reference: row.reference,
            label_ar: row.label_ar,
            label_fr: row.label_fr,
            amount: row.amount,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct AttemptRow {
    id: Uuid,
    pub(super) payable_id: Uuid,
    provider: String,
    provider_order_id: String,
    state: String,
    language: String,
    phone: String,
    decline_code: String,
    declines: i32,
    transaction_id: Option<String>,
    international: Option<bool>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    told_at: Option<DateTime<Utc>>,
    returned_at: Option<DateTime<Utc>>,
    authorised_at: Option<DateTime<Utc>>,
    capture_refusals: i32,
    captured_at: Option<DateTime<Utc>>,
    due_at: Option<DateTime<Utc>>,
    tries: i32,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let wrong = |column| inconsistent("attempt", column, row.id);
        let authorisation = match (row.transaction_id, row.authorised_at) {
            (Some(transaction), Some(at)) => Some(Authorisation { transaction, at }),
            (None, None) => None,
            _ => return Err(wrong("transaction_id")),
        };
        Ok(Self {
            id: row.id,
            provider: Provider::parse(&row.provider).ok_or_else(|| wrong("provider"))?,
            order_id: row.provider_order_id,
            state: AttemptState::parse(&row.state).ok_or_else(|| wrong("state"))?,
            language: row.language,
            phone: row.phone,
            decline_code: row.decline_code,
            declines: row.declines,
            international: row.international,
            created_at: row.created_at,
            expires_at: row.expires_at,
            told_at: row.told_at,
            returned_at: row.returned_at,
            authorisation,
            capture_refusals: row.capture_refusals,
            captured_at: row.captured_at,
            due_at: row.due_at,
            tries: row.tries,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct RefundRow {
    id: Uuid,
    pub(super) payable_id: Uuid,
    attempt_id: Uuid,
    owner_reference: String,
    amount: i64,
    state: String,
    reason_code: String,
    refusals: i32,
    refused_since: Option<DateTime<Utc>>,
    not_before: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    released: bool,
}

impl TryFrom<RefundRow> for Refund {
    type Error = StoreError;

    fn try_from(row: RefundRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            attempt_id: row.attempt_id,
            owner_reference: row.owner_reference,
            amount: row.amount,
            state: RefundState::parse(&row.state).ok_or(inconsistent("refund", "state", row.id))?,
            reason_code: row.reason_code,
            refusals: row.refusals,
            refused_since: row.refused_since,
            not_before: row.not_before,
            sent_at: row.sent_at,
            created_at: row.created_at,
            completed_at: row.completed_at,
            released: row.released,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct ReversalRow {
    id: Uuid,
    pub(super) payable_id: Uuid,
    attempt_id: Uuid,
    transaction_id: String,
    amount: i64,
    state: String,
    refusals: i32,
    not_before: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<ReversalRow> for Reversal {
    type Error = StoreError;

    fn try_from(row: ReversalRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            attempt_id: row.attempt_id,
            transaction: row.transaction_id,
            amount: row.amount,
            state: ReversalState::parse(&row.state).ok_or(inconsistent("reversal", "state", row.id))?,
            refusals: row.refusals,
            not_before: row.not_before,
            sent_at: row.sent_at,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}
