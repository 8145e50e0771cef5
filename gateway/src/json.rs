//! Request bodies and query strings, read strictly: unknown fields, wrong types and missing values are named by pointer.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::problem::Problem;

/// A JSON body. Types use `#[serde(deny_unknown_fields)]`.
pub struct Body<T>(pub T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        });
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "send the body as application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| body_problem(rejection.status()))?;
        let mut source = serde_json::Deserializer::from_slice(&bytes);
        serde_path_to_error::deserialize(&mut source)
            .map(Body)
            .map_err(|error| {
                let pointer = pointer(error.path());
                malformed(&pointer, &error.into_inner())
            })
    }
}

/// A missing or unknown field is named by serde in its text alone, at the object that should or should not have it.
fn malformed(pointer: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let named = |start: &str| text.strip_prefix(start).and_then(|rest| rest.split('`').next());
    if let Some(field) = named("missing field `") {
        return Problem::field(&format!("{pointer}/{field}"), "REQUIRED", text.clone());
    }
    if let Some(field) = named("unknown field `") {
        let owner = pointer.strip_suffix(&format!("/{field}")).unwrap_or(pointer);
        return Problem::field(&format!("{owner}/{field}"), "UNKNOWN_FIELD", text.clone());
    }
    if error.is_syntax() || error.is_eof() {
        return Problem::new(StatusCode::BAD_REQUEST, "BODY_MALFORMED", text);
    }
    Problem::field(pointer, "MALFORMED", text)
}

/// Why a body could not be read.
pub fn body_problem(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(
            status,
            "BODY_TOO_LARGE",
            "the body is larger than this address takes",
        )
    } else {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "BODY_UNREADABLE",
            "the body ended early or could not be read",
        )
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => pointer,
    })
}

/// A query string. Types use `#[serde(deny_unknown_fields)]`.
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|query| Query(query.0))
            .map_err(|rejection| Problem::field("#query", "MALFORMED", rejection.body_text()))
    }
}

/// The `Idempotency-Key` of a mutating call: a UUID that becomes the services' `request_id`.
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(Problem::field(
                "#header/Idempotency-Key",
                "IDEMPOTENCY_KEY_MISSING",
                "send a new UUID in Idempotency-Key, and the same one when repeating the call",
            ));
        };
        value
            .to_str()
            .ok()
            .and_then(|text| Uuid::parse_str(text.trim_matches('"')).ok())
            .map(|id| IdempotencyKey(id.to_string()))
            .ok_or_else(|| Problem::field("#header/Idempotency-Key", "MALFORMED", "the value must be a UUID"))
    }
}

/// The same where a call may go without: an answer that holds a secret is never repeated.
pub struct OptionalIdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalIdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key("idempotency-key") {
            return Ok(OptionalIdempotencyKey(None));
        }
        let IdempotencyKey(key) = IdempotencyKey::from_request_parts(parts, state).await?;
        Ok(OptionalIdempotencyKey(Some(key)))
    }
}
