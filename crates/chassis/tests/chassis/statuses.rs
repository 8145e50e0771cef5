//! Statuses and what a caller can read from them.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use wathiq_chassis::{
    CallContext, ErrorDomain, FieldViolation, request_id,
    status::{self, Violation},
};

const DOMAIN: ErrorDomain = ErrorDomain("probe.wathiq");

/// The status as the other side of the wire reads it.
fn over_the_wire(status: Status) -> Status {
    let response: http::Response<()> = status.into_http();
    Status::from_header_map(response.headers()).unwrap()
}

#[test]
fn all_wrong_fields_arrive_with_path_and_reason() {
    let birth_date =
        FieldViolation::new("birth_date", "IN_THE_FUTURE", "must lie in the past").scope("applicant");
    let office = FieldViolation::new("", "REQUIRED", "an office").scope("office");
    let status = over_the_wire(status::invalid_argument(DOMAIN, vec![birth_date, office]));
    assert_eq!(status.code(), Code::InvalidArgument);
    let violation = |field: &str, reason: &str, description: &str| Violation {
        field: field.to_owned(),
        reason: reason.to_owned(),
        description: description.to_owned(),
    };
    assert_eq!(
        status::violations(&status),
        [
            violation("applicant.birth_date", "IN_THE_FUTURE", "must lie in the past"),
            violation("office", "REQUIRED", "an office")
        ]
    );
    assert_eq!(
        status.get_details_bad_request().unwrap().field_violations.len(),
        2,
        "others can read them too"
    );
    assert_eq!(status::error_info(&status).unwrap().domain, "probe.wathiq");
}

#[test]
fn every_kind_has_its_code_reason_and_detail() {
    let status = over_the_wire(status::not_found(DOMAIN, "legalisation_request", "42"));
    assert_eq!(status::reason(&status).unwrap(), "LEGALISATION_REQUEST_NOT_FOUND");
    assert_eq!(status.get_details_resource_info().unwrap().resource_name, "42");

    let status = status::failed_precondition(DOMAIN, "NOT_SUBMITTED", "request/42", "it is a draft");
    let status = over_the_wire(status::with_metadata(status, &[("state", "DRAFT".to_owned())]));
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(
        status.get_details_precondition_failure().unwrap().violations[0].subject,
        "request/42"
    );
    assert_eq!(status::error_info(&status).unwrap().metadata["state"], "DRAFT");

    let later = Duration::from_secs(90);
    let status = over_the_wire(status::resource_exhausted(
        DOMAIN,
        "TOO_MANY_CODES",
        later,
        "wait",
    ));
    assert_eq!(
        (status.code(), status::retry_after(&status)),
        (Code::ResourceExhausted, Some(later))
    );
    let status = over_the_wire(status::unavailable(DOMAIN, "TSA_DOWN", later, "wait"));
    assert_eq!(
        (status.code(), status::retry_after(&status)),
        (Code::Unavailable, Some(later))
    );

    for (status, code) in [
        (status::aborted(DOMAIN, "STALE", "read again"), Code::Aborted),
        (
            status::already_exists(DOMAIN, "TAKEN", "taken"),
            Code::AlreadyExists,
        ),
        (
            status::permission_denied(DOMAIN, "NOT_OFFICER", "no"),
            Code::PermissionDenied,
        ),
        (
            status::unauthenticated(DOMAIN, "NO_SESSION", "no"),
            Code::Unauthenticated,
        ),
    ] {
        assert_eq!(status.code(), code);
        assert!(status::reason(&over_the_wire(status)).is_some());
    }
}

#[tokio::test]
async fn an_internal_error_tells_the_request_and_hides_the_cause() {
    let cause = std::io::Error::other("password=hunter2");
    let context = CallContext::new(Duration::from_secs(1), "r-1");
    let status = over_the_wire(context.scope(async { status::internal(DOMAIN, &cause) }).await);
    assert_eq!(
        (status.code(), status.message()),
        (Code::Internal, "internal error, request r-1")
    );
    assert_eq!(status.get_details_request_info().unwrap().request_id, "r-1");
    assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
}

#[test]
fn a_request_id_is_a_uuid() {
    assert!(request_id("0193a2f4-7c1b-7e3a-9d52-1f0c8a6b4e21").is_ok());
    for (text, reason) in [
        ("", "REQUIRED"),
        ("42", "MALFORMED"),
        ("00000000-0000-0000-0000-000000000000", "MALFORMED"),
    ] {
        let violation = request_id(text).unwrap_err();
        assert_eq!(
            (violation.field.as_str(), violation.reason),
            ("request_id", reason)
        );
    }
}
