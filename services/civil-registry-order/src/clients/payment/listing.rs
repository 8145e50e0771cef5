//! What payment and the providers behind it have in their books, page by page, for the audit.

use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use super::{Payment, SERVICE};
use crate::clients::{ClientError, PAGE, Page, failure, id};

/// A payable and everything that was done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayableBook {
    pub id: Uuid,
    /// The order it is for, as payment was told.
    pub order: String,
    pub centimes: i64,
    pub paid: bool,
    pub refunded_centimes: i64,
    pub refunds: Vec<RefundBook>,
    /// Number of attempts at paying it.
    pub attempts: usize,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundBook {
    /// The line it is for, as payment was told.
    pub line: String,
    pub centimes: i64,
    pub completed: bool,
}

/// What a provider says of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementBook {
    pub attempt: Uuid,
    pub payable: Uuid,
    /// Authorised or captured, and not voided.
    pub held_centimes: i64,
    /// Given back of it.
    pub credited_centimes: i64,
}

impl Payment {
    /// Payables of this service by their id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_payables(&self, page_token: String) -> Result<Page<PayableBook>, ClientError> {
        let request = pb::ListPayablesRequest {
            page_size: PAGE,
            page_token,
            ..Default::default()
        };
        let answer = self.payables.clone().list_payables(request).await;
        let answer = answer.map_err(failure(SERVICE, "payables"))?.into_inner();
        let books = answer.payables.into_iter().map(payable);
        Ok((books.collect::<Result<_, _>>()?, answer.next_page_token))
    }

    /// The providers' statement by the ids of the attempts; each provider is asked now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_statement(&self, page_token: String) -> Result<Page<StatementBook>, ClientError> {
        let request = pb::ListStatementRequest {
            page_size: PAGE,
            page_token,
            ..Default::default()
        };
        let answer = self.payables.clone().list_statement(request).await;
        let answer = answer.map_err(failure(SERVICE, "statement"))?.into_inner();
        let books = answer.entries.into_iter().map(|one| entry(&one));
        Ok((books.collect::<Result<_, _>>()?, answer.next_page_token))
    }
}

fn payable(payable: pb::Payable) -> Result<PayableBook, ClientError> {
    let refunds = payable.refunds.iter().map(|refund| RefundBook {
        line: refund.owner_reference.clone(),
        centimes: refund.amount_centimes,
        completed: refund.state() == pb::RefundState::Completed,
    });
    Ok(PayableBook {
        id: id(SERVICE, "payable id", &payable.payable_id)?,
        centimes: payable.amount_centimes,
        paid: payable.state() == pb::PayableState::Paid,
        refunded_centimes: payable.refunded_centimes,
        refunds: refunds.collect(),
        attempts: payable.attempts.len(),
        order: payable.owner_reference,
    })
}

fn entry(entry: &pb::StatementEntry) -> Result<StatementBook, ClientError> {
    let held = match entry.status.as_str() {
        "AUTHORISED" => entry.authorised_centimes,
        "CAPTURED" => entry.captured_centimes,
        _ => 0,
    };
    Ok(StatementBook {
        attempt: id(SERVICE, "attempt id", &entry.attempt_id)?,
        payable: id(SERVICE, "payable id", &entry.payable_id)?,
        held_centimes: held,
        credited_centimes: if held > 0 { entry.credited_centimes } else { 0 },
    })
}
