//! What this service asks payment.

mod listing;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::payable_service_client::PayableServiceClient;

use crate::clients::{ClientError, failure};
use crate::wire;
pub use listing::{PayableBook, RefundBook, StatementBook};

const SERVICE: &str = "payment";

/// Where a payable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayableState {
    Open,
    Paid,
    /// Cancelled or expired: nobody can pay it any more.
    Ended,
}

/// A payable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payable {
    pub id: Uuid,
    pub state: PayableState,
}

/// One position of a payable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub reference: Uuid,
    pub label_ar: String,
    pub label_fr: String,
    pub centimes: i64,
}

/// A payable to be opened. Does not print.
pub struct Opening {
    pub request_id: Uuid,
    pub order_id: Uuid,
    /// What people call the order.
    pub reference: String,
    pub items: Vec<Item>,
    pub payer_id: Uuid,
    pub payer_name: String,
    pub payer_email: String,
    pub payer_phone: String,
    pub expires_at: DateTime<Utc>,
}

/// Payment behind a channel.
#[derive(Clone)]
pub struct Payment {
    payables: PayableServiceClient<Channel>,
}

impl Payment {
    /// Payment behind this channel.
    pub fn new(channel: Channel) -> Self {
        Self {
            payables: PayableServiceClient::new(channel),
        }
    }

    /// Opens a payable; a repeat gets the same.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn open(&self, opening: Opening) -> Result<Payable, ClientError> {
        let items = opening.items.into_iter().map(|item| pb::PayableItem {
            reference: item.reference.to_string(),
            label_ar: item.label_ar,
            label_fr: item.label_fr,
            amount_centimes: item.centimes,
        });
        let request = pb::OpenPayableRequest {
            request_id: opening.request_id.to_string(),
            owner_reference: opening.order_id.to_string(),
            display_reference: opening.reference,
            items: items.collect(),
            payer_person_id: opening.payer_id.to_string(),
            payer_name: opening.payer_name,
            payer_email: opening.payer_email,
            payer_phone: opening.payer_phone,
            expire_time: Some(wire::timestamp(opening.expires_at)),
        };
        let answer = self.payables.clone().open_payable(request).await;
        payable(answer.map_err(failure(SERVICE, "payable"))?.into_inner().payable)
    }

    /// The payable of an order, where there is one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn of_order(&self, order_id: Uuid) -> Result<Option<Payable>, ClientError> {
        let request = pb::GetPayableRequest {
            key: Some(pb::get_payable_request::Key::OwnerReference(order_id.to_string())),
        };
        let answer = self.payables.clone().get_payable(request).await;
        match answer.map_err(failure(SERVICE, "payable")) {
            Ok(answer) => payable(answer.into_inner().payable).map(Some),
            Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Withdraws a payable that is not paid.
    ///
    /// # Errors
    /// [`ClientError`]; refused with `PAYABLE_PAID` where it is.
    pub async fn cancel(&self, request_id: Uuid, payable_id: Uuid) -> Result<Payable, ClientError> {
        let request = pb::CancelPayableRequest {
            request_id: request_id.to_string(),
            payable_id: payable_id.to_string(),
        };
        let answer = self.payables.clone().cancel_payable(request).await;
        payable(answer.map_err(failure(SERVICE, "payable"))?.into_inner().payable)
    }

    /// Asks for the money of a line back; a repeat gets the same refund.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn refund(
        &self,
        request_id: Uuid,
        payable_id: Uuid,
        line_id: Uuid,
        centimes: i64,
        reason_code: String,
    ) -> Result<(), ClientError> {
        let request = pb::RequestRefundRequest {
            request_id: request_id.to_string(),
            payable_id: payable_id.to_string(),
            owner_reference: line_id.to_string(),
            amount_centimes: centimes,
            reason_code,
        };
        let answer = self.payables.clone().request_refund(request).await;
        answer.map_err(failure(SERVICE, "refund"))?;
        Ok(())
    }
}

fn payable(payable: Option<pb::Payable>) -> Result<Payable, ClientError> {
    let unusable = |what| ClientError::Unusable {
        service: SERVICE,
        what,
    };
    let payable = payable.ok_or_else(|| unusable("payable"))?;
    let state = match payable.state() {
        pb::PayableState::Open => PayableState::Open,
        pb::PayableState::Paid => PayableState::Paid,
        pb::PayableState::Cancelled | pb::PayableState::Expired => PayableState::Ended,
        pb::PayableState::Unspecified => return Err(unusable("state of a payable")),
    };
    let id = Uuid::try_parse(&payable.payable_id).map_err(|_| unusable("payable id"))?;
    Ok(Payable { id, state })
}
