//! Uploaded documents.

use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::transfer::download::{self, Asked, Disposition, File};
use crate::api::transfer::png;
use crate::api::transfer::upload::{Piece, Upload, place};
use crate::api::wire::{Hex, Show, view, words};
use crate::api::{Answer, Created, filled};
use crate::app::App;
use crate::json::{IdempotencyKey, Query};
use crate::problem::Problem;
use crate::session::User;

/// Largest document taken, in bytes.
const LARGEST: u64 = 20 * 1024 * 1024;

words! {
    /// States of an uploaded document.
    DocumentState from pb::DocumentState { Accepted, Refused }
    /// How a document can be sealed, given the signatures it already carries.
    SealPolicy from pb::SealPolicy { Unsigned, VisibleField, ExistingField, InvisibleField }
}

view! {
    /// An uploaded document.
    Document from pb::Document {
        document_id: String,
        state: DocumentState,
        file_name: String,
        size_bytes: u64,
        sha256: Hex,
        create_time: Option<DateTime<Utc>>,
        pages: Vec<PageSize>,
        refusal: Option<IntakeRefusal>,
        seal_policy: Option<SealPolicy>,
        existing_signatures: Vec<ExistingSignature>,
    }
    /// Size of a page as displayed, in points (1/72 inch).
    PageSize from pb::Page {
        width: f64,
        height: f64,
    }
    /// Why a file was refused.
    IntakeRefusal from pb::IntakeRefusal {
        /// Stable code.
        reason: String,
        /// Object in the file, 0 where not known.
        object_number: u32,
        detail: String,
    }
    /// A signature found in an uploaded file.
    ExistingSignature from pb::ExistingSignature {
        field_name: String,
        /// `DocMDP` level 1 to 3; 0 for an approval signature.
        certification_level: i32,
    }
}

/// How the file is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// Name to show back, at most 255 characters; else that of `Content-Disposition` or of the form.
    #[serde(default)]
    file_name: Option<String>,
}

/// What of a page is drawn, and how wide.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PictureQuery {
    /// Width of the picture in pixels, 64 to 2,000.
    #[serde(default = "usual_width")]
    pub(crate) width: i32,
    /// Left edge of the region in points; the whole page where the region is absent.
    #[serde(default)]
    pub(crate) x: Option<f64>,
    /// Top edge of the region in points.
    #[serde(default)]
    pub(crate) y: Option<f64>,
    /// Width of the region in points.
    #[serde(default)]
    pub(crate) region_width: Option<f64>,
    /// Height of the region in points.
    #[serde(default)]
    pub(crate) region_height: Option<f64>,
}

fn usual_width() -> i32 {
    1000
}

impl PictureQuery {
    /// # Errors
    /// Where only a part of the region is given.
    pub(super) fn region(&self) -> Result<Option<pb::Rectangle>, Problem> {
        match (self.x, self.y, self.region_width, self.region_height) {
            (None, None, None, None) => Ok(None),
            (Some(x), Some(y), Some(width), Some(height)) => Ok(Some(pb::Rectangle { x, y, width, height })),
            _ => {
                let all = "a region needs x, y, region_width and region_height";
                Err(Problem::field("#query/x", "REGION_INCOMPLETE", all))
            }
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(upload_document))
                .layer(DefaultBodyLimit::disable()),
        )
        .routes(routes!(get_document))
        .routes(routes!(download_document))
        .routes(routes!(get_page_picture))
}

/// Uploads a PDF of at most 20 MiB; answers once it has been examined. A refused file is answered with 422 and the reason.
#[utoipa::path(post, path = "/v1/documents", tag = "documents", params(UploadQuery), request_body(content((String = "application/pdf"), (String = "multipart/form-data")), description = "The file itself, or a form with one file."), responses((status = 201, body = Document)))]
async fn upload_document(
    State(app): State<App>,
    user: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Answer<Created<Document>> {
    let place = place(&app.uploads, user.person_id, &request)?;
    let upload = Upload::open(request, LARGEST).await?;
    let message = move |piece| {
        let part = match piece {
            Piece::Start { file_name, length } => {
                let file_name = query.file_name.clone().unwrap_or(file_name);
                let request_id = request_id.clone();
                pb::upload_document_request::Part::Header(pb::UploadHeader {
                    request_id,
                    file_name,
                    length,
                })
            }
            Piece::Chunk(bytes) => pb::upload_document_request::Part::Chunk(bytes),
        };
        Some(pb::UploadDocumentRequest { part: Some(part) })
    };
    let mut client = app.clients.documents();
    let answer = upload
        .send(place, LARGEST, message, |stream| async move {
            client.upload_document(stream).await
        })
        .await?;
    let document = filled(answer.document)?;
    match document.refusal {
        Some(refusal) => Err(refused(&document.document_id, refusal)),
        None => Ok(Created(document.show())),
    }
}

fn refused(document_id: &str, refusal: pb::IntakeRefusal) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        &refusal.reason,
        refusal.detail.clone(),
    )
    .with("document_id", document_id)
    .with("detail", refusal.detail);
    if refusal.object_number > 0 {
        problem = problem.with("object_number", refusal.object_number.to_string());
    }
    problem
}

/// One document of the person.
#[utoipa::path(get, path = "/v1/documents/{document_id}", tag = "documents", responses((status = 200, body = Document)))]
async fn get_document(
    State(app): State<App>,
    _: User,
    Path(document_id): Path<String>,
) -> Answer<Json<Document>> {
    let answer = app
        .clients
        .documents()
        .get_document(pb::GetDocumentRequest { document_id })
        .await?;
    Ok(Json(filled(answer.into_inner().document)?.show()))
}

/// The uploaded bytes.
#[utoipa::path(get, path = "/v1/documents/{document_id}/content", tag = "documents", responses((status = 200, content_type = "application/pdf"), (status = 206, description = "a range of the file", content_type = "application/pdf")))]
async fn download_document(_: User, Path(document_id): Path<String>, asked: Asked) -> Answer<Response> {
    let file = File::Document { document_id };
    download::answer(asked, file, Disposition::Inline).await
}

/// A picture of a page, or of a region of one.
#[utoipa::path(get, path = "/v1/documents/{document_id}/pages/{page_number}/image.png", tag = "documents", params(PictureQuery), responses((status = 200, content_type = "image/png")))]
async fn get_page_picture(
    State(app): State<App>,
    _: User,
    Path((document_id, page_number)): Path<(String, i32)>,
    Query(query): Query<PictureQuery>,
) -> Answer<Response> {
    let region = query.region()?;
    let request = pb::RenderPageRequest {
        document_id,
        page_number,
        region,
        width_pixels: query.width,
    };
    let answer = app.clients.documents().render_page(request).await?;
    Ok(png(answer.into_inner().image_png))
}
