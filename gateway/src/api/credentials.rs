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
use crate::api::wire::{Base64, CivilDate, Show, Tell, body, both, timestamp, view, words};
use crate::api::{Answer, Created, Listing, ListingBody, PageQuery, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

view! {
    /// A signing credential of an officer.
    SigningCredential from pb::SigningCredential {
        credential_id: String,
        office_id: String,
        /// Null for an electronic seal.
        officer_person_id: Option<String>,
        /// `pkcs11`.
        backend: String,
        token_label: String,
        key_label: String,
        /// DER.
        certificate: Base64,
        not_before: Option<DateTime<Utc>>,
        not_after: Option<DateTime<Utc>>,
        expires_soon: bool,
        kind: Option<CredentialKind>,
        /// Of an electronic seal.
        authority: Option<SealAuthority>,
    }
}

words! {
    /// Whose a credential is.
    CredentialKind from pb::CredentialKind { Officer, ElectronicSeal }
}

both! {
    /// The recorded decision behind an electronic seal: outside of it, nothing is sealed.
    SealAuthority from pb::SealAuthority {
        decision_reference: String,
        decision_date: Option<CivilDate>,
        authority_name: String,
        /// Codes of kinds of documents, 1 to 50.
        document_kinds: Vec<String>,
        /// None: the credential's office and all below it.
        office_ids: Vec<String>,
        valid_from: Option<CivilDate>,
        valid_to: Option<CivilDate>,
    }
}

body! {
    /// Where an officer's key is, and its certificate.
    NewCredential {
        /// Null for an electronic seal, which has no officer.
        #[serde(default)]
        officer_person_id: Option<String>,
        token_label: String,
        key_label: String,
        /// PEM: the officer's certificate first, then its issuers without the root.
        certificate_chain_pem: String,
        /// An officer's own where absent.
        #[serde(default)]
        kind: Option<CredentialKind>,
        /// The decision behind an electronic seal.
        #[serde(default)]
        authority: Option<SealAuthority>,
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
        officer_person_id: body.officer_person_id.unwrap_or_default(),
        token_label: body.token_label,
        key_label: body.key_label,
        certificate_chain_pem: body.certificate_chain_pem,
        kind: body.kind.tell(),
        authority: body.authority.tell(),
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
