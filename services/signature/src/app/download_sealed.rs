//! Sealed files as streams: for their owner, behind a link, and for the message that carries them.

use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise, get_request, link};
use crate::domain::intent::IntentState;
use crate::domain::revision::SealedRevision;
use crate::domain::seal_facts::SealedFileKind;
use crate::storage::Reader;
use crate::store::{documents, intents, requests, revisions};

/// Which file, and which bytes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub kind: SealedFileKind,
    pub offset: u64,
    /// None: to the end.
    pub length: Option<u64>,
}

/// A sealed file being read.
pub struct SealedDownload {
    pub file_name: String,
    pub sha256: [u8; 32],
    pub reader: Reader,
}

/// For the owner of the request.
///
/// # Errors
/// [`AppError`]; refused with `NOT_SEALED` before the seal is complete.
pub async fn for_owner(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
    wanted: Wanted,
) -> Result<SealedDownload, AppError> {
    authorise::citizen(caller)?;
    let (revision, file_name) = {
        let mut conn = app.pool.acquire().await?;
        get_request::own(requests::find(&mut conn, request_id).await?, caller, request_id)?;
        latest(&mut conn, request_id, wanted.kind).await?
    };
    open(app, &revision, file_name, wanted).await
}

/// For whoever holds the link of an e-mail.
///
/// # Errors
/// [`AppError::NotFound`] for a token that is unknown or has expired.
pub async fn by_link(app: &App, token: &str, wanted: Wanted) -> Result<SealedDownload, AppError> {
    let (revision, file_name) = {
        let mut conn = app.pool.acquire().await?;
        let link = link::follow(&mut conn, &app.ambient, token).await?;
        latest(&mut conn, link.request_id, wanted.kind).await?
    };
    open(app, &revision, file_name, wanted).await
}

/// For the message that carries the file; whole.
///
/// # Errors
/// [`AppError`].
pub async fn for_message(
    app: &App,
    request_id: Uuid,
    kind: SealedFileKind,
) -> Result<SealedDownload, AppError> {
    let (revision, file_name) = {
        let mut conn = app.pool.acquire().await?;
        latest(&mut conn, request_id, kind).await?
    };
    open(
        app,
        &revision,
        file_name,
        Wanted {
            kind,
            offset: 0,
            length: None,
        },
    )
    .await
}

/// The newest revision of a sealed request's file, and what to call it.
async fn latest(
    conn: &mut PgConnection,
    request_id: Uuid,
    kind: SealedFileKind,
) -> Result<(SealedRevision, String), AppError> {
    let request = requests::find(conn, request_id)
        .await?
        .ok_or(AppError::request_not_found(request_id))?;
    let intent = intents::standing(conn, request_id).await?;
    let Some(intent) = intent.filter(|intent| intent.state == IntentState::Sealed) else {
        return Err(AppError::refused(
            "NOT_SEALED",
            request_id,
            "the request is not sealed yet",
        ));
    };
    let revisions = revisions::of_intent(conn, intent.id).await?;
    let revision = revisions.into_iter().rfind(|revision| revision.kind == kind);
    let revision = revision.ok_or(AppError::NotFound {
        resource: "sealed_file",
        id: request_id,
    })?;
    let uploaded = documents::find(conn, request.opening.document_id).await?;
    Ok((
        revision,
        file_name(kind, uploaded.map(|document| document.file_name)),
    ))
}

/// The uploaded file's own name with what happened to it; the separate page has a name of its own.
fn file_name(kind: SealedFileKind, uploaded: Option<String>) -> String {
    match (kind, uploaded) {
        (SealedFileKind::LegalisationPage, _) => "legalisation-page.pdf".to_owned(),
        (SealedFileKind::Document, Some(name)) => {
            let stem = name
                .strip_suffix(".pdf")
                .or_else(|| name.strip_suffix(".PDF"))
                .unwrap_or(&name);
            format!("{stem}-legalised.pdf")
        }
        (SealedFileKind::Document, None) => "legalised.pdf".to_owned(),
    }
}

async fn open(
    app: &App,
    revision: &SealedRevision,
    file_name: String,
    wanted: Wanted,
) -> Result<SealedDownload, AppError> {
    let reader = app
        .objects
        .read(&revision.object_key, wanted.offset, wanted.length)
        .await?;
    Ok(SealedDownload {
        file_name,
        sha256: revision.sha256,
        reader,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_files_are_named_after_the_upload() {
        let document = |name: &str| file_name(SealedFileKind::Document, Some(name.to_owned()));
        assert_eq!(document("contrat.pdf"), "contrat-legalised.pdf");
        assert_eq!(document("عقد.PDF"), "عقد-legalised.pdf");
        assert_eq!(document("scan"), "scan-legalised.pdf");
        assert_eq!(
            file_name(SealedFileKind::LegalisationPage, Some("a.pdf".to_owned())),
            "legalisation-page.pdf"
        );
    }
}
