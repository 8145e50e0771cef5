//! A citizen uploads a file: stored while it is hashed, inspected in a child process, then recorded.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::{Stream, StreamExt};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Postgres, Transaction};
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::{Caller, status};
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::idempotent::{self, Begun};
use crate::app::view::Encode;
use crate::app::{App, AppError, authorise, write};
use crate::domain::document::{Document, Inspection, MAX_BYTES};
use crate::events::records;
use crate::pdf::PdfError;
use crate::storage::{StorageError, Writer};
use crate::store::documents;

/// Folder of uploaded files.
pub const FOLDER: &str = "documents";

/// Full name of the method, for its idempotency record.
const METHOD: &str = "/wathiq.signature.v1.DocumentService/UploadDocument";

/// What the first message of an upload says.
#[derive(Debug, Clone)]
pub struct Upload {
    pub request_id: Uuid,
    pub file_name: String,
    /// In bytes, where the sender knows it.
    pub length: Option<u64>,
}

/// Takes the file in. A repeat is recognised by the content's hash.
///
/// # Errors
/// [`AppError`]: `FILE_TOO_LARGE`, `FILE_EMPTY`, `LENGTH_MISMATCH`, a store or worker that does not answer. A file that intake
/// refuses is no error: the document says so.
pub async fn upload_document(
    app: &App,
    caller: &Caller,
    upload: Upload,
    chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
    encode: Encode<Document>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    if upload.length.is_some_and(|length| length > MAX_BYTES) {
        return Err(too_large());
    }
    let id = app.ambient.uuid_v7();
    let key = format!("{FOLDER}/{}", HEXLOWER.encode(&Sha256::digest(id.as_bytes())));
    let (sha256, size_bytes) = receive(app, &key, &upload, chunks).await?;
    let received = Received {
        id,
        key: key.clone(),
        sha256,
        size_bytes,
    };
    let staged = inspect_and_stage(app, caller, upload, received, encode).await;
    // From the commit on a row may name the object, also where the commit's answer is lost: then the sweep of objects decides.
    let may_be_named = matches!(staged, Ok(Staged::New { keep: true, .. }));
    let response = match staged {
        Ok(Staged::New {
            transaction,
            command,
            response,
            ..
        }) => idempotent::finish(transaction, &command, response).await,
        Ok(Staged::Done(response)) => Ok(response),
        Err(error) => Err(error),
    };
    if !may_be_named {
        discard(app, &key).await;
    }
    response
}

/// What no row names is not kept. A failure to delete is left to the sweep of objects that no row names.
async fn discard(app: &App, key: &str) {
    if let Err(error) = app.objects.delete(key).await {
        tracing::warn!(
            event = "upload.delete_failed",
            error = status::chain(&error),
            "an object stays behind"
        );
    }
}

struct Received {
    id: Uuid,
    key: String,
    sha256: [u8; 32],
    size_bytes: u64,
}

/// An upload before its commit.
enum Staged {
    New {
        transaction: Transaction<'static, Postgres>,
        command: Command,
        response: Vec<u8>,
        /// Whether the row names the object.
        keep: bool,
    },
    /// Recorded by an earlier try.
    Done(Vec<u8>),
}

async fn receive(
    app: &App,
    key: &str,
    upload: &Upload,
    chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
) -> Result<([u8; 32], u64), AppError> {
    let mut writer = app.objects.writer(key).await?;
    match copy(&mut writer, upload, chunks).await {
        Ok(received) => {
            writer.finish().await?;
            Ok(received)
        }
        Err(error) => {
            writer.abort().await;
            Err(error)
        }
    }
}

async fn copy(
    writer: &mut Writer,
    upload: &Upload,
    mut chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
) -> Result<([u8; 32], u64), AppError> {
    let mut hash = Sha256::new();
    let mut size = 0u64;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|status| AppError::UploadBroken(Box::new(status)))?;
        size += chunk.len() as u64;
        if size > MAX_BYTES {
            return Err(too_large());
        }
        hash.update(&chunk);
        writer.write(chunk).await?;
    }
    if size == 0 {
        return Err(AppError::invalid("chunk", "FILE_EMPTY", "the file has no bytes"));
    }
    if upload.length.is_some_and(|length| length != size) {
        return Err(AppError::invalid(
            "header.length",
            "LENGTH_MISMATCH",
            "the file is not as long as declared",
        ));
    }
    Ok((hash.finalize().into(), size))
}

fn too_large() -> AppError {
    AppError::invalid("chunk", "FILE_TOO_LARGE", "a file has at most 20 MiB")
}

async fn inspect_and_stage(
    app: &App,
    caller: &Caller,
    upload: Upload,
    received: Received,
    encode: Encode<Document>,
) -> Result<Staged, AppError> {
    let verdict = inspect(app, &received.key).await?;
    let command = Command {
        principal: write::principal(caller),
        method: METHOD,
        request_id: upload.request_id,
        hash: received.sha256,
    };
    let mut transaction = match idempotent::begin(app, &command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(Staged::Done(response)),
    };
    let keep = matches!(verdict, Inspection::Accepted(_));
    let document = Document {
        id: received.id,
        owner_id: caller.person_id,
        file_name: upload.file_name,
        size_bytes: received.size_bytes,
        sha256: received.sha256,
        object_key: keep.then_some(received.key),
        verdict,
        created_at: app.ambient.now(),
    };
    documents::insert(&mut transaction, &document).await?;
    wathiq_outbox::append(&mut transaction, &app.ambient, records::uploaded(&document)).await?;
    audit::record(
        &mut transaction,
        &app.ambient,
        audit_entry(caller, &command.principal, &document),
    )
    .await?;
    Ok(Staged::New {
        transaction,
        command,
        response: encode(&document),
        keep,
    })
}

async fn inspect(app: &App, key: &str) -> Result<Inspection, AppError> {
    let file = app.objects.get(key).await.map_err(|error| match error {
        // It was written a moment ago: a store that has lost it does not work.
        StorageError::NotFound { source, .. } => StorageError::Unavailable(source),
        error => error,
    })?;
    match app.pdf.inspect(file).await {
        Err(PdfError::Refused(refusal)) => Ok(Inspection::Refused(refusal)),
        inspected => Ok(inspected?),
    }
}

fn audit_entry<'a>(caller: &Caller, principal: &'a str, document: &'a Document) -> AuditEntry<'a> {
    let reason = match &document.verdict {
        Inspection::Accepted(_) => None,
        Inspection::Refused(refusal) => Some(refusal.reason.as_str()),
    };
    AuditEntry {
        person_id: Some(caller.person_id),
        principal,
        action: "document.upload",
        aggregate: "document",
        aggregate_id: document.id,
        outcome: if reason.is_some() { "refused" } else { "done" },
        reason,
        details: json!({ "sha256": HEXLOWER.encode(&document.sha256), "size_bytes": document.size_bytes }),
    }
}
