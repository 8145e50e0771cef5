//! A citizen uploads a file that shows a relation.

use bytes::Bytes;
use chrono::TimeDelta;
use futures::{Stream, StreamExt};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::file_kind::FileKind;
use crate::store::evidence::{self, Evidence};

/// Folder of these files.
pub const FOLDER: &str = "evidence";
/// Largest file.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How long a file is kept that no order names.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// Kinds of evidence.
pub const KINDS: [&str; 5] = [
    "power-of-attorney",
    "guardianship",
    "family-booklet",
    "identity-document",
    "other",
];
const METHOD: &str = "/wathiq.civil_registry_order.v1.OrderService/UploadEvidence";

/// What the first message of an upload says.
#[derive(Debug, Clone)]
pub struct Upload {
    pub request_id: Uuid,
    pub file_name: String,
    pub kind: String,
}

/// Takes a file in. A repeat is recognised by the content's hash.
///
/// # Errors
/// [`AppError`]: `FILE_TOO_LARGE`, `FILE_EMPTY`, `FILE_TYPE`, `KIND_UNKNOWN`.
pub async fn upload_evidence(
    app: &App,
    caller: &Caller,
    upload: Upload,
    chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
) -> Result<Evidence, AppError> {
    authorise::orderer(caller)?;
    if !KINDS.contains(&upload.kind.as_str()) {
        let description = format!("must be one of {}", KINDS.join(", "));
        return Err(AppError::invalid("header.kind", "KIND_UNKNOWN", description));
    }
    let file = receive(chunks).await?;
    let content_type = FileKind::of(&file)
        .ok_or_else(|| AppError::invalid("chunk", "FILE_TYPE", "must be a whole PDF, JPEG or PNG file"))?
        .content_type();
    let id = app.ambient.uuid_v7();
    let sha256: [u8; 32] = Sha256::digest(&file).into();
    let hash = hash(&upload, &sha256);
    let now = app.ambient.now();
    let evidence = Evidence {
        id,
        person_id: caller.person_id,
        kind: upload.kind,
        file_name: upload.file_name,
        content_type: content_type.to_owned(),
        size_bytes: i64::try_from(file.len()).unwrap_or(i64::MAX),
        sha256: sha256.to_vec(),
        object_key: format!("{FOLDER}/{id}"),
        created_at: now,
        expires_at: now + KEPT,
        order_id: None,
    };
    let command = Command {
        principal: write::principal(caller),
        method: METHOD,
        request_id: upload.request_id,
        hash,
    };
    // On the disk before a row names it; what no row names is swept.
    app.objects.put(&evidence.object_key, file).await?;
    let mut transaction = match idempotent::begin(app, &command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(answer) => {
            app.objects.delete(&evidence.object_key).await?;
            return stored(app, idempotent::id_of(&answer)?).await;
        }
    };
    evidence::insert(&mut transaction, &evidence).await?;
    let subject = write::Subject {
        aggregate: "evidence",
        id,
    };
    let details = json!({ "size_bytes": evidence.size_bytes, "content_type": content_type });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "evidence.upload",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, &command, id.as_bytes().to_vec()).await?;
    Ok(evidence)
}

/// Of all that was sent: the same file as another kind of evidence is another request.
fn hash(upload: &Upload, sha256: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [upload.kind.as_bytes(), upload.file_name.as_bytes(), sha256] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

async fn stored(app: &App, id: Uuid) -> Result<Evidence, AppError> {
    let mut conn = app.pool.acquire().await?;
    let found = evidence::get(&mut conn, &[id]).await?.pop();
    found.ok_or_else(|| AppError::not_found("evidence", id))
}

async fn receive(
    mut chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
) -> Result<Bytes, AppError> {
    let mut file = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|status| AppError::UploadBroken(Box::new(status)))?;
        if file.len() + chunk.len() > MAX_BYTES {
            return Err(AppError::invalid(
                "chunk",
                "FILE_TOO_LARGE",
                "a file has at most 8 MiB",
            ));
        }
        file.extend_from_slice(&chunk);
    }
    if file.is_empty() {
        return Err(AppError::invalid("chunk", "FILE_EMPTY", "the file has no bytes"));
    }
    Ok(file.into())
}
