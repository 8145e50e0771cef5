//! Public verification, and the files behind an e-mailed link; no account needed.

use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::Answer;
use crate::api::legalisation::{
    LegalisationState, RegisterEntryState, SealedFile, SealedFileKind, file_kind,
};
use crate::api::transfer::download::{self, Asked, Disposition, File};
use crate::api::transfer::upload::{Piece, Upload, place};
use crate::api::wire::{Hex, Show, view, words};
use crate::app::App;
use crate::client_address::ClientAddress;

/// Largest file verified, in bytes: a sealed document is larger than what was uploaded.
const LARGEST: u64 = 25 * 1024 * 1024;

words! {
    /// Indications of EN 319 102-1, clause 5.1.3.
    Indication from pb::Indication { TotalPassed, Indeterminate, TotalFailed }
    /// Whether the bytes are those issued.
    IssuedState from pb::IssuedState { Unknown, AsIssued, Altered, Withdrawn }
    /// States of a document that an administration issues.
    IssuedDocumentState from pb::IssuedDocumentState { WaitingForOfficer, Signed, Sealed, Withdrawn, Failed }
    /// Whose key seals.
    SealMode from pb::SealMode { OfficerKey, ElectronicSeal }
}

view! {
    /// One signature of a verified file.
    SignatureVerdict from pb::SignatureVerdict {
        field_name: String,
        indication: Indication,
        /// EN 319 102-1 sub-indication; null when passed.
        sub_indication: Option<String>,
        /// Common name of the signer's certificate.
        signer: String,
        issuer: String,
        /// `B-B`, `B-T`, `B-LT` or `B-LTA`; null where not PAdES baseline.
        level: Option<String>,
        claimed_time: Option<DateTime<Utc>>,
        /// Best signature time, from the time-stamp.
        best_time: Option<DateTime<Utc>>,
        covers_whole_revision: bool,
        /// Something was added after this signature's revision.
        extended: bool,
        /// What was added changes what a reader sees or who signed.
        changed: bool,
    }
    /// The legalisation behind a file or code.
    LegalisationFacts from pb::LegalisationFacts {
        verification_code: String,
        state: LegalisationState,
        office_name_ar: String,
        office_name_fr: String,
        register_year: i32,
        register_number: i32,
        seal_time: Option<DateTime<Utc>>,
        officer_name: String,
        signer_name_latin: String,
        signer_name_arabic: String,
        document_kind: String,
        confirmation_method: Option<String>,
        confirm_time: Option<DateTime<Utc>>,
        /// SHA-256 of the first sealed revision: the document's identity.
        document_sha256: Option<Hex>,
        latest_revision: i32,
        register_state: Option<RegisterEntryState>,
        specimen_version: i32,
    }
    /// What stands behind a verification code.
    CodeVerification from pb::VerifyCodeResponse {
        indication: Indication,
        legalisation: Option<LegalisationFacts>,
        /// Verdicts on the latest stored revision.
        signatures: Vec<SignatureVerdict>,
        /// `as_issued`, or `withdrawn` where the legalisation was annulled.
        issued: IssuedState,
        /// Instead of the legalisation where the code is of another document of the platform.
        issued_document: Option<IssuedDocumentFacts>,
    }
    /// A document of an administration behind a file or code; nobody's name.
    IssuedDocumentFacts from pb::IssuedDocumentFacts {
        verification_code: String,
        state: IssuedDocumentState,
        document_kind: String,
        title_ar: String,
        title_fr: String,
        title_en: String,
        office_name_ar: String,
        office_name_fr: String,
        seal_mode: SealMode,
        seal_time: Option<DateTime<Utc>>,
        /// SHA-256 of the sealed file.
        document_sha256: Option<Hex>,
    }
    /// What a file proves.
    FileVerification from pb::VerifyFileResponse {
        /// The worst of the signatures; `indeterminate` where there is none.
        indication: Indication,
        sub_indication: Option<String>,
        signatures: Vec<SignatureVerdict>,
        issued: IssuedState,
        /// With `as_issued` and `withdrawn`: which stored revision, 1 is the first; else 0.
        revision: i32,
        legalisation: Option<LegalisationFacts>,
        sha256: Hex,
        kind: Option<SealedFileKind>,
        /// Instead of the legalisation where the file is another document of the platform.
        issued_document: Option<IssuedDocumentFacts>,
    }
    /// What is behind an e-mailed link.
    Link from pb::GetLinkResponse {
        legalisation: Option<LegalisationFacts>,
        files: Vec<SealedFile>,
        expire_time: Option<DateTime<Utc>>,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(verify_file))
                .layer(DefaultBodyLimit::disable()),
        )
        .routes(routes!(verify_code))
        .routes(routes!(get_link))
        .routes(routes!(download_by_link))
}

/// Passes an uploaded file to verification.
///
/// # Errors
/// What is wrong with the upload, or the service's refusal.
pub(crate) async fn verify(app: &App, request: Request) -> Answer<pb::VerifyFileResponse> {
    let address = request.extensions().get::<ClientAddress>();
    let whom = address.map_or_else(String::new, ClientAddress::limited_as);
    let place = place(&app.verifications, whom, &request)?;
    let upload = Upload::open(request, LARGEST).await?;
    let message = |piece| match piece {
        Piece::Start { .. } => None,
        Piece::Chunk(chunk) => Some(pb::VerifyFileRequest { chunk }),
    };
    let mut client = app.clients.verification();
    upload
        .send(place, LARGEST, message, |stream| async move {
            client.verify_file(stream).await
        })
        .await
}

/// Verifies a file of at most 25 MiB; the file is not kept.
#[utoipa::path(post, path = "/v1/verification", tag = "verification", request_body(content((String = "application/pdf"), (String = "multipart/form-data")), description = "The file itself, or a form with one file."), responses((status = 200, body = FileVerification)))]
async fn verify_file(State(app): State<App>, request: Request) -> Answer<Json<FileVerification>> {
    Ok(Json(verify(&app, request).await?.show()))
}

/// Verifies by the code in the QR.
#[utoipa::path(get, path = "/v1/verification/{code}", tag = "verification", responses((status = 200, body = CodeVerification)))]
async fn verify_code(State(app): State<App>, Path(code): Path<String>) -> Answer<Json<CodeVerification>> {
    let answer = app
        .clients
        .verification()
        .verify_code(pb::VerifyCodeRequest { code })
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// What is behind an e-mailed link.
#[utoipa::path(get, path = "/v1/links/{token}", tag = "verification", responses((status = 200, body = Link)))]
async fn get_link(State(app): State<App>, Path(token): Path<String>) -> Answer<Json<Link>> {
    let answer = app
        .clients
        .verification()
        .get_link(pb::GetLinkRequest { token })
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// A file behind an e-mailed link: `document` or `legalisation_page`.
#[utoipa::path(get, path = "/v1/links/{token}/files/{kind}", tag = "verification", responses((status = 200, content_type = "application/pdf"), (status = 206, description = "a range of the file", content_type = "application/pdf")))]
async fn download_by_link(Path((token, kind)): Path<(String, String)>, asked: Asked) -> Answer<Response> {
    let file = File::Linked {
        token,
        kind: file_kind(&kind)?,
    };
    download::answer(asked, file, Disposition::Attachment).await
}
