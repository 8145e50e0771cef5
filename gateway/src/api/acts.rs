//! Digitised acts for the offices that hold their registers: search, notes, keying, scans.

use axum::Json;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::api::civil_status::RegisterKind;
use crate::api::transfer::download::Disposition;
use crate::api::transfer::upload::{Piece, Upload, place};
use crate::api::transfer::whole::whole;
use crate::api::wire::{PartialDate, Show, Tell, body};
use crate::api::{Answer, Created, Listing, ListingBody, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

mod resource;

pub(crate) use resource::*;

/// Largest scan of a page, in bytes.
const LARGEST_SCAN: u64 = 8 * 1024 * 1024;
const SCANS: [&str; 3] = ["application/pdf", "image/jpeg", "image/png"];

body! {
    /// A key (year and number), or a person (names and birth date or year) in either script.
    ActSearch {
        office_id: String,
        #[serde(default)]
        kind: Option<RegisterKind>,
        #[serde(default)]
        year: Option<i32>,
        #[serde(default)]
        part: Option<String>,
        #[serde(default)]
        number: Option<String>,
        #[serde(default)]
        given_name: Option<String>,
        #[serde(default)]
        family_name: Option<String>,
        #[serde(default)]
        birth_date: Option<PartialDate>,
    }
    /// An act as read from the register.
    NewKeying {
        key: ActKey,
        content: ActContent,
        #[serde(default)]
        notes: Vec<NewMarginalNote>,
        /// A scan sent before.
        #[serde(default)]
        scan_id: Option<String>,
    }
    /// How many acts a register year holds.
    RegisterSize {
        office_id: String,
        kind: RegisterKind,
        year: i32,
        acts_in_register: i32,
    }
}

/// Whose registers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RegistersQuery {
    #[serde(default)]
    office_id: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// Which keyings.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeyingsQuery {
    #[serde(default)]
    office_id: String,
    /// The caller's own first looks that are still open, instead of what waits for the caller.
    #[serde(default)]
    keyed_by_caller: bool,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// Whose page is scanned.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScanQuery {
    office_id: String,
    /// An act that has none yet; left out for a scan that a keying will name.
    #[serde(default)]
    act_id: String,
    /// The act's scan shows another page: this one counts from now on, and the older one is kept.
    #[serde(default)]
    supersede: bool,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(attach_scan))
                .layer(DefaultBodyLimit::disable()),
        )
        .routes(routes!(search_acts))
        .routes(routes!(get_act))
        .routes(routes!(add_marginal_note))
        .routes(routes!(download_act_scan))
        .routes(routes!(key_act, list_keyings))
        .routes(routes!(get_keying_differences))
        .routes(routes!(withdraw_keying))
        .routes(routes!(download_keying_scan))
        .routes(routes!(list_register_progress))
        .routes(routes!(set_register_size))
}

/// Acts by key, or by name and birth date or year; at most 20, best first.
#[utoipa::path(post, path = "/v1/office/act-searches", tag = "acts", request_body = ActSearch, responses((status = 200, body = FoundActs)))]
async fn search_acts(
    State(app): State<App>,
    _: User,
    Body(body): Body<ActSearch>,
) -> Answer<Json<FoundActs>> {
    let request = pb::SearchActsRequest {
        office_id: body.office_id,
        kind: body.kind.tell(),
        year: body.year.tell(),
        part: body.part.tell(),
        number: body.number.tell(),
        given_name: body.given_name.tell(),
        family_name: body.family_name.tell(),
        birth_date: body.birth_date.tell(),
    };
    let answer = app.clients.acts().search_acts(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// One act with its notes.
#[utoipa::path(get, path = "/v1/office/acts/{act_id}", tag = "acts", responses((status = 200, body = Act)))]
async fn get_act(State(app): State<App>, _: User, Path(act_id): Path<String>) -> Answer<Json<Act>> {
    let answer = app.clients.acts().get_act(pb::GetActRequest { act_id }).await?;
    Ok(Json(filled(answer.into_inner().act)?.show()))
}

/// Adds a marginal note.
#[utoipa::path(post, path = "/v1/office/acts/{act_id}/notes", tag = "acts", request_body = NewMarginalNote, responses((status = 201, body = Act)))]
async fn add_marginal_note(
    State(app): State<App>,
    _: User,
    Path(act_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewMarginalNote>,
) -> Answer<Created<Act>> {
    let request = pb::AddMarginalNoteRequest {
        request_id,
        act_id,
        note: Some(body.tell()),
    };
    let answer = app.clients.acts().add_marginal_note(request).await?;
    Ok(Created(filled(answer.into_inner().act)?.show()))
}

async fn scan(app: &App, key: pb::download_scan_request::Key) -> Answer<Response> {
    let mut acts = app.clients.acts();
    let request = pb::DownloadScanRequest { key: Some(key) };
    whole!(acts.download_scan(request), Disposition::Inline, |message| (
        message.content_type,
        "scan".to_owned()
    ))
}

/// The scan of an act's page.
#[utoipa::path(get, path = "/v1/office/acts/{act_id}/scan", tag = "acts", responses((status = 200, content((String = "application/pdf"), (String = "image/jpeg"), (String = "image/png"), (String = "application/octet-stream")))))]
async fn download_act_scan(State(app): State<App>, _: User, Path(act_id): Path<String>) -> Answer<Response> {
    scan(&app, pb::download_scan_request::Key::ActId(act_id)).await
}

/// Keys an act from the register: the first, second or third time.
#[utoipa::path(post, path = "/v1/office/keyings", tag = "acts", request_body = NewKeying, responses((status = 201, body = KeyedAct)))]
async fn key_act(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewKeying>,
) -> Answer<Created<KeyedAct>> {
    let request = pb::KeyActRequest {
        request_id,
        key: Some(body.key.tell()),
        content: Some(body.content.tell()),
        notes: body.notes.tell(),
        scan_id: body.scan_id.tell(),
    };
    let answer = app.clients.acts().key_act(request).await?;
    Ok(Created(answer.into_inner().show()))
}

/// Acts that wait for a second keying or a third look, oldest first.
#[utoipa::path(get, path = "/v1/office/keyings", tag = "acts", params(KeyingsQuery), responses((status = 200, body = ListingBody<Keying>)))]
async fn list_keyings(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<KeyingsQuery>,
) -> Answer<Listing<Keying>> {
    let request = pb::ListKeyingsRequest {
        office_id: query.office_id,
        keyed_by_caller: query.keyed_by_caller,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app.clients.acts().list_keyings(request).await?.into_inner();
    Ok(Listing::new(uri, answer.keyings.show(), answer.next_page_token))
}

/// What the two keyed differently.
#[utoipa::path(get, path = "/v1/office/keyings/{keying_id}/differences", tag = "acts", responses((status = 200, body = KeyingDifferences)))]
async fn get_keying_differences(
    State(app): State<App>,
    _: User,
    Path(keying_id): Path<String>,
) -> Answer<Json<KeyingDifferences>> {
    let request = pb::GetKeyingDifferencesRequest { keying_id };
    let answer = app.clients.acts().get_keying_differences(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Withdraws what was keyed, so that the key is free again: a first look by who keyed it or by an officer, two that differ by a person who keyed
/// neither.
#[utoipa::path(post, path = "/v1/office/keyings/{keying_id}/withdrawal", tag = "acts", responses((status = 200, body = Keying)))]
async fn withdraw_keying(
    State(app): State<App>,
    _: User,
    Path(keying_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Json<Keying>> {
    let request = pb::WithdrawKeyingRequest {
        request_id,
        keying_id,
    };
    let answer = app.clients.acts().withdraw_keying(request).await?;
    Ok(Json(filled(answer.into_inner().keying)?.show()))
}

/// The scan that a keying names.
#[utoipa::path(get, path = "/v1/office/keyings/{keying_id}/scan", tag = "acts", responses((status = 200, content((String = "application/pdf"), (String = "image/jpeg"), (String = "image/png"), (String = "application/octet-stream")))))]
async fn download_keying_scan(
    State(app): State<App>,
    _: User,
    Path(keying_id): Path<String>,
) -> Answer<Response> {
    scan(&app, pb::download_scan_request::Key::KeyingId(keying_id)).await
}

/// Keeps the scan of a register's page, of at most 8 MiB.
#[utoipa::path(post, path = "/v1/office/register-scans", tag = "acts", params(ScanQuery), request_body(content((String = "application/pdf"), (String = "image/jpeg"), (String = "image/png"), (String = "multipart/form-data")), description = "The file itself, or a form with one file."), responses((status = 201, body = KeptScan)))]
async fn attach_scan(
    State(app): State<App>,
    user: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Query(query): Query<ScanQuery>,
    request: Request,
) -> Answer<Created<KeptScan>> {
    let place = place(&app.uploads, user.person_id, &request)?;
    let upload = Upload::open_one_of(request, LARGEST_SCAN, &SCANS).await?;
    let message = move |piece| {
        let part = match piece {
            Piece::Start { .. } => pb::attach_scan_request::Part::Header(pb::ScanHeader {
                request_id: request_id.clone(),
                office_id: query.office_id.clone(),
                act_id: query.act_id.clone(),
                supersede: query.supersede,
            }),
            Piece::Chunk(bytes) => pb::attach_scan_request::Part::Chunk(bytes),
        };
        Some(pb::AttachScanRequest { part: Some(part) })
    };
    let mut client = app.clients.acts();
    let answer = upload
        .send(place, LARGEST_SCAN, message, |stream| async move {
            client.attach_scan(stream).await
        })
        .await?;
    Ok(Created(answer.show()))
}

/// How far the digitising of an office's registers is, by register and year.
#[utoipa::path(get, path = "/v1/office/register-progress", tag = "acts", params(RegistersQuery), responses((status = 200, body = ListingBody<RegisterProgress>)))]
async fn list_register_progress(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<RegistersQuery>,
) -> Answer<Listing<RegisterProgress>> {
    let request = pb::ListKeyingProgressRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app
        .clients
        .acts()
        .list_keying_progress(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.progress.show(), answer.next_page_token))
}

/// Says how many acts a register year holds.
#[utoipa::path(put, path = "/v1/office/register-sizes", tag = "acts", request_body = RegisterSize, responses((status = 200, body = RegisterProgress)))]
async fn set_register_size(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<RegisterSize>,
) -> Answer<(StatusCode, Json<RegisterProgress>)> {
    let request = pb::SetRegisterSizeRequest {
        request_id,
        office_id: body.office_id,
        kind: body.kind.tell(),
        year: body.year,
        acts_in_register: body.acts_in_register,
    };
    let answer = app.clients.acts().set_register_size(request).await?;
    Ok((StatusCode::OK, Json(filled(answer.into_inner().progress)?.show())))
}
