//! What an office keeps: its register, the officers' signing credentials, its fees.

use axum::extract::{OriginalUri, Path, State};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::legalisation::RegisterEntry;
use crate::api::wire::{Base64, Show, body, timestamp, view};
use crate::api::{Answer, Created, Listing, ListingBody, PageQuery, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

view! {
    /// A signing credential of an officer.
    SigningCredential from pb::SigningCredential {
        credential_id: String,
        office_id: String,
        officer_person_id: String,
        /// `pkcs11`.
        backend: String,
        token_label: String,
        key_label: String,
        /// DER.
        certificate: Base64,
        not_before: Option<DateTime<Utc>>,
        not_after: Option<DateTime<Utc>>,
        expires_soon: bool,
    }
}

body! {
    /// Where an officer's key is, and its certificate.
    NewCredential {
        officer_person_id: String,
        token_label: String,
        key_label: String,
        /// PEM: the officer's certificate first, then its issuers without the root.
        certificate_chain_pem: String,
    }
    /// A fee from a time on.
    Fee {
        /// Centimes of MAD.
        fee_centimes: i64,
        from_time: DateTime<Utc>,
    }
}

/// Which year of the register.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RegisterQuery {
    year: i32,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_register))
        .routes(routes!(list_credentials, register_credential))
        .routes(routes!(set_fee))
}

/// The register of an office and year, in order of number.
#[utoipa::path(get, path = "/v1/offices/{office_id}/register", tag = "seals", params(RegisterQuery), responses((status = 200, body = ListingBody<RegisterEntry>)))]
async fn list_register(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<RegisterQuery>,
) -> Answer<Listing<RegisterEntry>> {
    let request = pb::ListRegisterRequest {
        office_id,
        year: query.year,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app
        .clients
        .legalisation_office()
        .list_register(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.entries.show(), answer.next_page_token))
}

/// Signing credentials of an office.
#[utoipa::path(get, path = "/v1/offices/{office_id}/credentials", tag = "seals", params(PageQuery), responses((status = 200, body = ListingBody<SigningCredential>)))]
async fn list_credentials(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<SigningCredential>> {
    let request = pb::ListCredentialsRequest {
        office_id,
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app
        .clients
        .legalisation_office()
        .list_credentials(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.credentials.show(),
        answer.next_page_token,
    ))
}

/// Registers an officer's signing credential.
#[utoipa::path(post, path = "/v1/offices/{office_id}/credentials", tag = "seals", request_body = NewCredential, responses((status = 201, body = SigningCredential)))]
async fn register_credential(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewCredential>,
) -> Answer<Created<SigningCredential>> {
    let request = pb::RegisterCredentialRequest {
        request_id,
        office_id,
        officer_person_id: body.officer_person_id,
        token_label: body.token_label,
        key_label: body.key_label,
        certificate_chain_pem: body.certificate_chain_pem,
    };
    let answer = app
        .clients
        .legalisation_office()
        .register_credential(request)
        .await?;
    Ok(Created(filled(answer.into_inner().credential)?.show()))
}

/// Sets the fee for a kind of document from a time on.
#[utoipa::path(put, path = "/v1/offices/{office_id}/fees/{document_kind}", tag = "seals", request_body = Fee, responses((status = 204)))]
async fn set_fee(
    State(app): State<App>,
    _: User,
    Path((office_id, document_kind)): Path<(String, String)>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Fee>,
) -> Answer<StatusCode> {
    let request = pb::SetFeeRequest {
        request_id,
        office_id,
        document_kind,
        fee_centimes: body.fee_centimes,
        from_time: Some(timestamp(body.from_time)),
    };
    app.clients.legalisation_office().set_fee(request).await?;
    Ok(StatusCode::NO_CONTENT)
}
