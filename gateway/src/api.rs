//! The JSON API: one file per area, each with its resources' JSON form and its handlers.
//!
//! To add an operation: write the handler with its `#[utoipa::path]` beside its neighbours, name it in that file's
//! `routes()`, and the document at `/openapi.json` has it.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use utoipa::openapi::OpenApi;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::Problem;

pub(crate) mod wire;

mod accounts;
mod acts;
mod administration;
pub(crate) mod callbacks;
pub(crate) mod civil_status;
mod confirmations;
mod contact_sessions;
mod credentials;
mod documents;
mod legalisation;
mod office;
mod offices;
mod openapi;
mod order_administration;
pub(crate) mod order_office;
mod passwords;
pub(crate) mod payments;
mod people;
mod seals;
mod sessions;
pub(crate) mod shipments;
mod specimens;
mod status_text;
pub(crate) mod tracking;
pub(crate) mod transfer;
mod verification;

pub(crate) use legalisation::file_kind;
pub(crate) use sessions::user_agent;
pub(crate) use status_text::{state_name_key, status_line};
pub(crate) use verification::verify;

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Problem>;

/// The routes of the API and the document that describes them.
pub(crate) fn router() -> (axum::Router<App>, OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::frame())
        .merge(accounts::routes())
        .merge(passwords::routes())
        .merge(sessions::routes())
        .merge(specimens::routes())
        .merge(confirmations::routes())
        .merge(documents::routes())
        .merge(legalisation::routes())
        .merge(office::routes())
        .merge(people::routes())
        .merge(seals::routes())
        .merge(credentials::routes())
        .merge(offices::routes())
        .merge(administration::routes())
        .merge(verification::routes())
        .merge(contact_sessions::routes())
        .merge(civil_status::routes())
        .merge(payments::routes())
        .merge(tracking::routes())
        .merge(order_office::routes())
        .merge(shipments::routes())
        .merge(acts::routes())
        .merge(order_administration::routes())
        .merge(callbacks::routes())
        .split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// A resource that now exists.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// A resource with its version as `ETag` (RFC 9110, 8.8.3).
pub(crate) struct Tagged<T> {
    pub(crate) status: StatusCode,
    pub(crate) etag: String,
    pub(crate) resource: T,
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.resource)).into_response();
        if let Ok(value) = HeaderValue::try_from(format!("\"{}\"", self.etag)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// The version in `If-Match`, empty where the caller does not care.
pub(crate) struct IfMatch(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(IfMatch(String::new()));
        };
        let text = value.to_str().unwrap_or_default();
        if text == "*" {
            return Ok(IfMatch(String::new()));
        }
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner.filter(|tag| !tag.is_empty() && !tag.contains('"')) {
            Some(tag) => Ok(IfMatch(tag.to_owned())),
            None => Err(Problem::field(
                "#header/If-Match",
                "MALFORMED",
                "send the one strong entity tag that the resource was read with",
            )),
        }
    }
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items a page, at most 100; 50 where absent.
    #[serde(default)]
    pub(crate) page_size: i32,
    /// `next_page_token` of the page before.
    #[serde(default)]
    pub(crate) page_token: String,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListingBody<T: ToSchema> {
    pub(crate) items: Vec<T>,
    /// Sent as `page_token` for the page after this one; null on the last.
    pub(crate) next_page_token: Option<String>,
}

/// A page of a list and, in `Link`, the address of the next (RFC 8288).
pub(crate) struct Listing<T> {
    items: Vec<T>,
    next: String,
    uri: Uri,
}

impl<T> Listing<T> {
    pub(crate) fn new(uri: Uri, items: Vec<T>, next: String) -> Self {
        Listing { items, next, uri }
    }
}

impl<T: Serialize + ToSchema> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        let link = (!self.next.is_empty()).then(|| next_link(&self.uri, &self.next));
        let next_page_token = (!self.next.is_empty()).then_some(self.next);
        let mut response = Json(ListingBody {
            items: self.items,
            next_page_token,
        })
        .into_response();
        if let Some(value) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(header::LINK, value);
        }
        response
    }
}

fn next_link(uri: &Uri, token: &str) -> String {
    let mut query: Vec<String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page_token="))
        .map(str::to_owned)
        .collect();
    query.push(format!("page_token={}", percent_encode(token)));
    format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))
}

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3).
#[must_use]
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The part of an answer that every service of this version fills.
///
/// # Errors
/// `INTERNAL` where a service left it out.
pub(crate) fn filled<T>(part: Option<T>) -> Result<T, Problem> {
    part.ok_or_else(|| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "a service left out a part of its answer",
        )
    })
}

/// Reads a comma-separated list of words of one enumeration.
///
/// # Errors
/// Names the query parameter and the word.
pub(crate) fn words_of<T: serde::de::DeserializeOwned>(name: &str, list: &str) -> Result<Vec<T>, Problem> {
    list.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| {
            serde_json::from_value(serde_json::Value::String(word.to_owned()))
                .map_err(|error| Problem::field(&format!("#query/{name}"), "MALFORMED", error.to_string()))
        })
        .collect()
}
