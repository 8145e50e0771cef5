//! What partners post: the providers of payments and the carrier. Bytes and fields are handed on as they came to the
//! service that can tell whether they are genuine; nothing of a body is logged here.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use crate::api::Answer;
use crate::api::wire::{Show, view};
use crate::app::App;
use crate::json::body_problem;
use crate::problem::Problem;

/// Largest message of a provider, in bytes, and most fields of one.
pub(crate) const LARGEST_CALLBACK: usize = 64 * 1024;
const MOST_FIELDS: usize = 200;
/// Largest message and largest file of the carrier, in bytes.
const LARGEST_EVENTS: usize = 1024 * 1024;
const LARGEST_FILE: usize = 8 * 1024 * 1024;
/// What a provider is told whose message was not taken: it sends it again.
pub(crate) const NOT_TAKEN: &str = "FAILURE";

/// Marks an answer that a partner reads as it stands, whatever its status.
#[derive(Clone)]
pub(crate) struct Bare;

view! {
    /// What became of the carrier's events.
    CarrierReceipt from postal::ReceiveWebhookResponse {
        taken: i32,
        known_before: i32,
        /// Numbers that are not of this platform.
        unknown_tracking_ids: Vec<String>,
        /// Faults of events that were not taken; the first 100.
        refused: Vec<RefusedEvent>,
        /// All of them.
        faults: i32,
    }
    /// An event that was not taken.
    RefusedEvent from postal::RefusedEvent {
        /// From 0, in the order of the message.
        index: i32,
        field: String,
        reason: String,
        description: String,
    }
    /// What became of the rows of a carrier's file.
    CarrierFileReceipt from postal::ImportBatchResponse {
        taken: i32,
        known_before: i32,
        /// Faults of rows that were not taken; the first 1,000.
        refused: Vec<RefusedRow>,
        /// All of them.
        faults: i32,
        /// Columns that are not known and were passed over.
        ignored_columns: Vec<String>,
    }
    /// A row that was not taken.
    RefusedRow from postal::RefusedRow {
        /// 1 is the header.
        line: i32,
        field: String,
        reason: String,
        description: String,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(receive_payment_callback))
                .layer(DefaultBodyLimit::max(LARGEST_CALLBACK)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(receive_carrier_events))
                .layer(DefaultBodyLimit::max(LARGEST_EVENTS)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(receive_carrier_file))
                .layer(DefaultBodyLimit::max(LARGEST_FILE)),
        )
}

/// The fields of a form in the order posted, repeated ones included.
pub(crate) struct Posted(pub(crate) Vec<payment::FormField>);

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let Form(fields) = form.map_err(|rejection| match rejection {
            FormRejection::InvalidFormContentType(_) => Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "send the form as application/x-www-form-urlencoded",
            ),
            other => body_problem(other.status()),
        })?;
        if fields.len() > MOST_FIELDS {
            let what = "the form has more fields than this address takes";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "BODY_UNREADABLE", what));
        }
        let field = |(name, value)| payment::FormField { name, value };
        Ok(Posted(fields.into_iter().map(field).collect()))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn header_text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// A payment provider's message, which proves itself. The answer is bare text for the provider.
#[utoipa::path(post, path = "/callbacks/payments/{provider}", tag = "partners", request_body(content((String = "application/x-www-form-urlencoded"), (String = "application/json")), description = "What the provider of that name posts: a form whose hash is one of its fields, or JSON signed in the header `x-signature`."), responses((status = 200, description = "What the provider is to do, such as `ACTION=POSTAUTH`; `FAILURE` where a form was not taken.", body = String, content_type = "text/plain"), (status = 400, description = "A JSON message was not taken, or the message cannot be read: `FAILURE`, as with every other status.", body = String, content_type = "text/plain")))]
async fn receive_payment_callback(
    State(app): State<App>,
    Path(provider): Path<String>,
    request: Request,
) -> Answer<Response> {
    let by_json = is_json(request.headers());
    let mut message = payment::ReceiveCallbackRequest {
        provider,
        ..Default::default()
    };
    if by_json {
        message.signature = header_text(request.headers(), "x-signature");
        let body = Bytes::from_request(request, &()).await;
        message.body = body.map_err(|rejection| body_problem(rejection.status()))?.into();
    } else {
        let Posted(fields) = Posted::from_request(request, &()).await?;
        message.fields = fields;
    }
    let answer = match app.clients.providers().receive_callback(message).await {
        Ok(answer) => answer.into_inner().answer,
        Err(status) => {
            tracing::warn!(event = "callback.not_taken", code = ?status.code(), "payment did not take a provider's message");
            NOT_TAKEN.to_owned()
        }
    };
    // A form's provider reads the text alone, the other one the status.
    let refused = by_json && answer == NOT_TAKEN;
    let status = if refused {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let mut response = (status, plain, answer).into_response();
    response.extensions_mut().insert(Bare);
    Ok(response)
}

type Signed = (String, String, String);

/// Id, time and signature of a message (Standard Webhooks 1.0).
fn signed(headers: &HeaderMap) -> Signed {
    let text = |name| header_text(headers, name);
    (
        text("webhook-id"),
        text("webhook-timestamp"),
        text("webhook-signature"),
    )
}

fn whole(body: Result<Bytes, BytesRejection>) -> Answer<Vec<u8>> {
    let bytes = body.map_err(|rejection| body_problem(rejection.status()))?;
    Ok(bytes.into())
}

/// The carrier's events, signed in the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`.
#[utoipa::path(post, path = "/v1/carrier/events", tag = "partners", request_body(content = String, content_type = "application/json", description = "A JSON array of 1 to 500 events."), responses((status = 200, body = CarrierReceipt)))]
async fn receive_carrier_events(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Json<CarrierReceipt>> {
    let (webhook_id, webhook_timestamp, webhook_signature) = signed(&headers);
    let message = postal::ReceiveWebhookRequest {
        webhook_id,
        webhook_timestamp,
        webhook_signature,
        body: whole(body)?,
    };
    let answer = app.clients.carrier().receive_webhook(message).await?;
    Ok(Json(answer.into_inner().show()))
}

/// The carrier's events of a while as a table, signed likewise.
#[utoipa::path(post, path = "/v1/carrier/event-files", tag = "partners", request_body(content = String, content_type = "text/csv", description = "RFC 4180 with commas or semicolons, UTF-8, with a header line; at most 8 MiB."), responses((status = 200, body = CarrierFileReceipt)))]
async fn receive_carrier_file(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Json<CarrierFileReceipt>> {
    let (webhook_id, webhook_timestamp, webhook_signature) = signed(&headers);
    let message = postal::ImportBatchRequest {
        webhook_id,
        webhook_timestamp,
        webhook_signature,
        csv: whole(body)?,
    };
    let answer = app.clients.carrier().import_batch(message).await?;
    Ok(Json(answer.into_inner().show()))
}
