//! The domain's words as protobuf's.

use chrono::{DateTime, Utc};
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::domain::attempt::AttemptState;
use crate::domain::payable::PayableState;
use crate::domain::refund::RefundState;

/// An instant.
pub(crate) fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: at.timestamp_subsec_nanos().cast_signed(),
    }
}

/// A payable's state.
pub(crate) fn payable_state(state: PayableState) -> pb::PayableState {
    match state {
        PayableState::Open => pb::PayableState::Open,
        PayableState::Paid => pb::PayableState::Paid,
        PayableState::Cancelled => pb::PayableState::Cancelled,
        PayableState::Expired => pb::PayableState::Expired,
    }
}

/// An attempt's state.
pub(crate) fn attempt_state(state: AttemptState) -> pb::AttemptState {
    match state {
        AttemptState::Started => pb::AttemptState::Started,
        AttemptState::Authorised => pb::AttemptState::Authorised,
        AttemptState::Captured => pb::AttemptState::Captured,
        AttemptState::Voiding => pb::AttemptState::Voiding,
        AttemptState::Voided => pb::AttemptState::Voided,
        AttemptState::Ended => pb::AttemptState::Ended,
    }
}

/// A refund's state.
pub(crate) fn refund_state(state: RefundState) -> pb::RefundState {
    match state {
        RefundState::Requested => pb::RefundState::Requested,
        RefundState::Completed => pb::RefundState::Completed,
        RefundState::Failed => pb::RefundState::Failed,
    }
}
