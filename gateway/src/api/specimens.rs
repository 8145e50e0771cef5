//! Signature specimens of the signed-in person.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::people::ProofOfIdentity;
use crate::api::transfer::png;
use crate::api::wire::{Base64, Hex, Show, body, view};
use crate::api::{Answer, Created, Listing, ListingBody, PageQuery, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

view! {
    /// A version of a person's signature specimen.
    Specimen from pb::Specimen {
        version: i32,
        deposit_time: Option<DateTime<Utc>>,
        /// Present once the specimen counts.
        proof: Option<ProofOfIdentity>,
        image_sha256: Hex,
    }
}

body! {
    /// A specimen drawn by its owner.
    NewSpecimen {
        /// PNG, at most 512 KiB and 2,000 by 1,000 pixels.
        image_png: Base64,
        strokes: Vec<SpecimenStroke>,
    }
    /// One stroke of the pen.
    SpecimenStroke {
        points: Vec<SpecimenPoint>,
    }
    /// A point: fractions of the drawing area, origin top left, y down.
    SpecimenPoint {
        x: f32,
        y: f32,
        /// 0 to 1; 0 where the device tells none.
        #[serde(default)]
        pressure: f32,
        /// Milliseconds since the first point.
        #[serde(default)]
        time_milliseconds: u32,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(deposit_specimen, list_specimens))
        .routes(routes!(get_specimen))
        .routes(routes!(get_specimen_image))
}

/// Deposits a new version. It counts once proved at an office.
#[utoipa::path(post, path = "/v1/specimens", tag = "specimens", request_body = NewSpecimen, responses((status = 201, body = Specimen)))]
async fn deposit_specimen(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewSpecimen>,
) -> Answer<Created<Specimen>> {
    let strokes = body.strokes.into_iter().map(|stroke| pb::Stroke {
        points: stroke.points.into_iter().map(point).collect(),
    });
    let request = pb::DepositSpecimenRequest {
        request_id,
        image_png: body.image_png.0,
        strokes: strokes.collect(),
    };
    let answer = app.clients.specimens().deposit_specimen(request).await?;
    Ok(Created(filled(answer.into_inner().specimen)?.show()))
}

fn point(point: SpecimenPoint) -> pb::StrokePoint {
    pb::StrokePoint {
        x: point.x,
        y: point.y,
        pressure: point.pressure,
        time_milliseconds: point.time_milliseconds,
    }
}

/// The person's specimens, newest first.
#[utoipa::path(get, path = "/v1/specimens", tag = "specimens", params(PageQuery), responses((status = 200, body = ListingBody<Specimen>)))]
async fn list_specimens(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<Specimen>> {
    let request = pb::ListSpecimensRequest {
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app
        .clients
        .specimens()
        .list_specimens(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.specimens.show(), answer.next_page_token))
}

/// One specimen of the person.
#[utoipa::path(get, path = "/v1/specimens/{version}", tag = "specimens", responses((status = 200, body = Specimen)))]
async fn get_specimen(State(app): State<App>, _: User, Path(version): Path<i32>) -> Answer<Json<Specimen>> {
    let answer = app
        .clients
        .specimens()
        .get_specimen(pb::GetSpecimenRequest { version })
        .await?;
    Ok(Json(filled(answer.into_inner().specimen)?.show()))
}

/// The picture of a specimen.
#[utoipa::path(get, path = "/v1/specimens/{version}/image.png", tag = "specimens", responses((status = 200, content_type = "image/png")))]
async fn get_specimen_image(State(app): State<App>, _: User, Path(version): Path<i32>) -> Answer<Response> {
    let answer = app
        .clients
        .specimens()
        .get_specimen(pb::GetSpecimenRequest { version })
        .await?;
    Ok(png(answer.into_inner().image_png))
}
