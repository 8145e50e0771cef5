//! Files on their way in and out: uploads are passed on chunk by chunk, downloads are fetched in segments as fast as
//! the client reads, with single ranges (RFC 9110, 14).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

pub(crate) mod download;
pub(crate) mod range;
pub(crate) mod upload;
pub(crate) mod whole;

/// A picture.
#[must_use]
pub(crate) fn png(bytes: Vec<u8>) -> Response {
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static("image/png"))],
        bytes,
    )
        .into_response()
}
