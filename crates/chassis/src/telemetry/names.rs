//! The names of the metrics every process has; labels carry no ids, so that the number of series stays bounded.

use tonic::Code;

/// Histogram, seconds: calls served. Labels `rpc_method`, `rpc_response_status_code`.
pub const RPC_SERVER_CALL_DURATION_SECONDS: &str = "rpc_server_call_duration_seconds";
/// Histogram, seconds: calls made. Labels `rpc_method`, `rpc_response_status_code`, `server`.
pub const RPC_CLIENT_CALL_DURATION_SECONDS: &str = "rpc_client_call_duration_seconds";
/// Gauge, seconds: how long the own certificate still holds.
pub const CERTIFICATE_EXPIRY_SECONDS: &str = "certificate_expiry_seconds";
/// Gauge, 0 or 1: whether the process takes work.
pub const READY: &str = "process_ready";
/// Counter: connections that ended before a call, by `reason`.
pub const CONNECTIONS_REFUSED_TOTAL: &str = "connections_refused_total";

/// A status code as metrics and traces write it: `NOT_FOUND`.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

pub(super) fn describe() {
    metrics::describe_histogram!(
        RPC_SERVER_CALL_DURATION_SECONDS,
        "Duration of calls served, in seconds."
    );
    metrics::describe_histogram!(
        RPC_CLIENT_CALL_DURATION_SECONDS,
        "Duration of calls made, in seconds."
    );
    metrics::describe_gauge!(
        CERTIFICATE_EXPIRY_SECONDS,
        "Seconds until the own certificate ends."
    );
    metrics::describe_gauge!(READY, "Whether the process takes work.");
    metrics::describe_counter!(CONNECTIONS_REFUSED_TOTAL, "Connections that ended before a call.");
}
