//! The download behind an e-mailed link. The page is shown first: mail programs that fetch links ahead do not fetch
//! the file.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api;
use crate::api::transfer::download::{self, Asked, Disposition, File};
use crate::app::App;
use crate::language::{Language, text};
use crate::pages::facts::{Row, rows, time};
use crate::pages::{Frame, page};
use crate::problem::Problem;

/// A file offered for download.
pub(super) struct Offer {
    pub address: String,
    pub name: &'static str,
    pub size: String,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'page> {
    frame: &'page Frame,
    rows: Vec<Row>,
    offers: Vec<Offer>,
    until: Option<String>,
    verification: Option<String>,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/d/{token}", get(show))
        .route("/d/{token}/{kind}", get(fetch))
}

/// What a file is offered as, below an address.
pub(super) fn offer(frame: &Frame, base: &str, file: &pb::SealedFile) -> Option<Offer> {
    let (word, key) = match file.kind() {
        pb::SealedFileKind::Document => ("document", "files.document"),
        pb::SealedFileKind::LegalisationPage => ("legalisation_page", "files.legalisation_page"),
        pb::SealedFileKind::Unspecified => return None,
    };
    Some(Offer {
        address: format!("{base}/{word}"),
        name: text(frame.language, key),
        size: size(frame, file.size_bytes),
    })
}

fn size(frame: &Frame, bytes: u64) -> String {
    let kilobytes = bytes.div_ceil(1024);
    if kilobytes < 1024 {
        return format!("{kilobytes} {}", text(frame.language, "files.kilobytes"));
    }
    let tenths = bytes.saturating_mul(10).div_ceil(1024 * 1024);
    let separator = if frame.language == Language::English {
        '.'
    } else {
        ','
    };
    let unit = text(frame.language, "files.megabytes");
    format!("{}{separator}{} {unit}", tenths / 10, tenths % 10)
}

async fn show(State(app): State<App>, frame: Frame, Path(token): Path<String>) -> Result<Response, Problem> {
    let request = pb::GetLinkRequest { token: token.clone() };
    let link = app
        .clients
        .verification()
        .get_link(request)
        .await
        .map_err(link_problem)?
        .into_inner();
    let base = format!("/d/{}", api::percent_encode(&token));
    let shown = LinkPage {
        rows: match &link.legalisation {
            Some(facts) => rows(&app, frame.language, facts).await,
            None => Vec::new(),
        },
        offers: newest(&link.files)
            .filter_map(|file| offer(&frame, &base, file))
            .collect(),
        until: time(link.expire_time.as_ref()),
        verification: link
            .legalisation
            .map(|facts| format!("/v/{}", api::percent_encode(&facts.verification_code))),
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}

/// The newest revision of each file.
pub(super) fn newest(files: &[pb::SealedFile]) -> impl Iterator<Item = &pb::SealedFile> {
    files.iter().filter(|file| {
        let newer = |other: &&pb::SealedFile| other.kind == file.kind && other.revision > file.revision;
        !files.iter().any(|other| newer(&other))
    })
}

async fn fetch(Path((token, kind)): Path<(String, String)>, asked: Asked) -> Result<Response, Problem> {
    let file = File::Linked {
        token,
        kind: api::file_kind(&kind)?,
    };
    download::answer(asked, file, Disposition::Attachment).await
}

fn link_problem(status: tonic::Status) -> Problem {
    let problem = Problem::from(status);
    if problem.status == StatusCode::NOT_FOUND {
        return Problem::new(
            StatusCode::NOT_FOUND,
            "LINK_NOT_FOUND",
            "the link is unknown or too old",
        );
    }
    problem
}
