//! The platform's administrators: destinations, and the messages that were sent.

use axum::extract::{OriginalUri, Path, State};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;
use wathiq_proto::wathiq::notification::v1 as messages;

use crate::api::wire::{CivilDate, Show, body, view, words};
use crate::api::{Answer, IfMatch, Listing, ListingBody, PageQuery, Tagged, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

words! {
    /// Channels of a message.
    MessageChannel from messages::MessageChannel { Email, Text }
    /// States of a message.
    MessageState from messages::MessageState { Queued, Sent, Failed, Dropped }
}

view! {
    /// An administration that documents may be destined for.
    Administration from pb::Administration {
        administration_id: String,
        name_ar: String,
        name_fr: String,
        enrolled_from: Option<CivilDate>,
        enrolled_to: Option<CivilDate>,
        create_time: Option<DateTime<Utc>>,
        etag: String,
    }
    /// A message that was sent, or not. No addresses.
    Message from messages::Message {
        message_id: String,
        aggregate_id: String,
        /// Code of the template.
        template: String,
        channel: MessageChannel,
        state: MessageState,
        attempts: i32,
        create_time: Option<DateTime<Utc>>,
        send_time: Option<DateTime<Utc>>,
        failure_code: Option<String>,
    }
}

body! {
    /// A new destination.
    NewAdministration {
        name_ar: String,
        name_fr: String,
        enrolled_from: CivilDate,
        #[serde(default)]
        enrolled_to: Option<CivilDate>,
    }
    /// What changes of an administration; absent fields stay.
    AdministrationChange {
        #[serde(default)]
        name_ar: Option<String>,
        #[serde(default)]
        name_fr: Option<String>,
        #[serde(default)]
        enrolled_to: Option<CivilDate>,
    }
}

/// Which messages are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessagesQuery {
    /// A request's or delivery's id.
    aggregate_id: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_administrations, enrol_administration))
        .routes(routes!(update_administration))
        .routes(routes!(list_messages))
}

fn tagged(status: StatusCode, administration: Option<pb::Administration>) -> Answer<Tagged<Administration>> {
    let administration = filled(administration)?;
    Ok(Tagged {
        status,
        etag: administration.etag.clone(),
        resource: administration.show(),
    })
}

/// Administrations enrolled today.
#[utoipa::path(get, path = "/v1/administrations", tag = "administration", params(PageQuery), responses((status = 200, body = ListingBody<Administration>)))]
async fn list_administrations(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<Administration>> {
    let request = pb::ListAdministrationsRequest {
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app
        .clients
        .organisation()
        .list_administrations(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.administrations.show(),
        answer.next_page_token,
    ))
}

/// Enrols an administration as a destination, from a date to a date.
#[utoipa::path(post, path = "/v1/administrations", tag = "administration", request_body = NewAdministration, responses((status = 201, body = Administration)))]
async fn enrol_administration(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewAdministration>,
) -> Answer<Tagged<Administration>> {
    let request = pb::EnrolAdministrationRequest {
        request_id,
        name_ar: body.name_ar,
        name_fr: body.name_fr,
        enrolled_from: Some(body.enrolled_from.message()),
        enrolled_to: body.enrolled_to.map(CivilDate::message),
    };
    let answer = app.clients.organisation().enrol_administration(request).await?;
    tagged(StatusCode::CREATED, answer.into_inner().administration)
}

/// Changes names or the end date of an administration.
#[utoipa::path(patch, path = "/v1/administrations/{administration_id}", tag = "administration", request_body = AdministrationChange, responses((status = 200, body = Administration)))]
async fn update_administration(
    State(app): State<App>,
    _: User,
    Path(administration_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    IfMatch(etag): IfMatch,
    Body(body): Body<AdministrationChange>,
) -> Answer<Tagged<Administration>> {
    let request = pb::UpdateAdministrationRequest {
        request_id,
        administration_id,
        name_ar: body.name_ar.unwrap_or_default(),
        name_fr: body.name_fr.unwrap_or_default(),
        enrolled_to: body.enrolled_to.map(CivilDate::message),
        etag,
    };
    let answer = app.clients.organisation().update_administration(request).await?;
    tagged(StatusCode::OK, answer.into_inner().administration)
}

/// Messages about a request or delivery, newest first. Platform administrators.
#[utoipa::path(get, path = "/v1/messages", tag = "administration", params(MessagesQuery), responses((status = 200, body = ListingBody<Message>)))]
async fn list_messages(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<MessagesQuery>,
) -> Answer<Listing<Message>> {
    let request = messages::ListMessagesRequest {
        aggregate_id: query.aggregate_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app.clients.messages().list_messages(request).await?.into_inner();
    Ok(Listing::new(uri, answer.messages.show(), answer.next_page_token))
}
