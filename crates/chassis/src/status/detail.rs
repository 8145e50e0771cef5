//! The details that the ready-made types cannot carry: the reason of a field violation (field 3 of
//! `google.rpc.BadRequest.FieldViolation`), and additions to an `ErrorInfo` already made.

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt, pb};

use super::FieldViolation;

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

#[derive(Clone, PartialEq, Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    field_violations: Vec<Violation>,
}

/// One wrong field as it travels: `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Violation {
    /// Dotted path from the request.
    #[prost(string, tag = "1")]
    pub field: String,
    /// For developers, in English.
    #[prost(string, tag = "2")]
    pub description: String,
    /// Machine-readable reason.
    #[prost(string, tag = "3")]
    pub reason: String,
}

impl From<FieldViolation> for Violation {
    fn from(violation: FieldViolation) -> Self {
        Self {
            field: violation.field,
            description: violation.description,
            reason: violation.reason.to_owned(),
        }
    }
}

pub(super) fn with_violations(
    code: Code,
    message: String,
    details: ErrorDetails,
    violations: Vec<FieldViolation>,
) -> Status {
    let status = Status::with_error_details(code, message, details);
    let bad_request = BadRequest {
        field_violations: violations.into_iter().map(Into::into).collect(),
    };
    change(&status, |details| {
        details.push(prost_types::Any {
            type_url: BAD_REQUEST.to_owned(),
            value: bad_request.encode_to_vec(),
        });
    })
}

pub(super) fn with_metadata(status: Status, entries: &[(&str, String)]) -> Status {
    change(&status, |details| {
        for detail in details.iter_mut().filter(|detail| detail.type_url == ERROR_INFO) {
            if let Ok(mut info) = pb::ErrorInfo::decode(detail.value.as_slice()) {
                info.metadata.extend(
                    entries
                        .iter()
                        .map(|(key, value)| ((*key).to_owned(), value.clone())),
                );
                detail.value = info.encode_to_vec();
            }
        }
    })
}

pub(super) fn violations(status: &Status) -> Vec<Violation> {
    let Ok(envelope) = pb::Status::decode(status.details()) else {
        return Vec::new();
    };
    envelope
        .details
        .iter()
        .filter(|detail| detail.type_url == BAD_REQUEST)
        .filter_map(|detail| BadRequest::decode(detail.value.as_slice()).ok())
        .flat_map(|request| request.field_violations)
        .collect()
}

fn change(status: &Status, edit: impl FnOnce(&mut Vec<prost_types::Any>)) -> Status {
    let mut envelope = pb::Status::decode(status.details()).unwrap_or_else(|_| pb::Status {
        code: status.code() as i32,
        message: status.message().to_owned(),
        details: Vec::new(),
    });
    edit(&mut envelope.details);
    Status::with_details_and_metadata(
        status.code(),
        status.message(),
        envelope.encode_to_vec().into(),
        status.metadata().clone(),
    )
}
