//! What this service asks payment: payables for fees, their withdrawal, refunds.

use chrono::{DateTime, Utc};
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::payable_service_client::PayableServiceClient;

use crate::wire;

/// Why payment gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// Nobody can withdraw it any more.
    #[error("the payable is paid")]
    Paid,
    #[error("payment does not know the payable")]
    NotFound,
    #[error("payment refused")]
    Refused(#[source] Box<Status>),
    #[error("payment does not answer")]
    Unavailable(#[source] Box<Status>),
    #[error("payment answered without a usable {0}")]
    Unusable(&'static str),
}

/// A payable to be opened. Does not print.
pub struct Opening {
    /// The same for every repeat.
    pub request_id: Uuid,
    /// Ours of what is paid: the legalisation request.
    pub reference: Uuid,
    pub label_ar: String,
    pub label_fr: String,
    pub centimes: i64,
    pub payer_id: Uuid,
    pub payer_name: String,
    pub expires_at: DateTime<Utc>,
}

/// Payment behind a channel.
#[derive(Debug, Clone)]
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

    /// Opens a payable and answers its id; a repeat answers the same.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn open(&self, opening: Opening) -> Result<Uuid, PaymentError> {
        let request = pb::OpenPayableRequest {
            request_id: opening.request_id.to_string(),
            owner_reference: opening.reference.to_string(),
            items: vec![pb::PayableItem {
                reference: opening.reference.to_string(),
                label_ar: opening.label_ar,
                label_fr: opening.label_fr,
                amount_centimes: opening.centimes,
            }],
            payer_person_id: opening.payer_id.to_string(),
            payer_name: opening.payer_name,
            payer_email: String::new(),
            payer_phone: String::new(),
            expire_time: Some(wire::timestamp(opening.expires_at)),
            // Its number comes with its filing, which the payment precedes: until then people have its id.
            display_reference: opening.reference.to_string(),
        };
        let answer = self.payables.clone().open_payable(request).await;
        let payable = answer.map_err(failure)?.into_inner().payable;
        let id = payable.map(|payable| payable.payable_id).unwrap_or_default();
        id.parse().map_err(|_| PaymentError::Unusable("payable id"))
    }

    /// Withdraws a payable that is not paid.
    ///
    /// # Errors
    /// [`PaymentError::Paid`] where it is, and as for every call.
    pub async fn cancel(&self, request_id: Uuid, payable_id: Uuid) -> Result<(), PaymentError> {
        let request = pb::CancelPayableRequest {
            request_id: request_id.to_string(),
            payable_id: payable_id.to_string(),
        };
        let answer = self.payables.clone().cancel_payable(request).await;
        answer.map_err(failure).map(|_| ())
    }

    /// Asks that all of it be given back.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn refund(
        &self,
        request_id: Uuid,
        payable_id: Uuid,
        reference: Uuid,
        centimes: i64,
        reason_code: &str,
    ) -> Result<(), PaymentError> {
        let request = pb::RequestRefundRequest {
            request_id: request_id.to_string(),
            payable_id: payable_id.to_string(),
            owner_reference: reference.to_string(),
            amount_centimes: centimes,
            reason_code: reason_code.to_owned(),
        };
        let answer = self.payables.clone().request_refund(request).await;
        answer.map_err(failure).map(|_| ())
    }
}

fn failure(status: Status) -> PaymentError {
    match status.code() {
        Code::NotFound => PaymentError::NotFound,
        Code::FailedPrecondition
            if wathiq_chassis::status::reason(&status).as_deref() == Some("PAYABLE_PAID") =>
        {
            PaymentError::Paid
        }
        Code::FailedPrecondition | Code::InvalidArgument | Code::PermissionDenied | Code::AlreadyExists => {
            PaymentError::Refused(Box::new(status))
        }
        _ => PaymentError::Unavailable(Box::new(status)),
    }
}
