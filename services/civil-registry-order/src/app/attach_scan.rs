//! Somebody attaches the scan of a register's page: to an act that has none or whose scan shows another page, or for a keying that will name it.

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures::{Stream, StreamExt};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::{Caller, status};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, registers, write};
use crate::domain::file_kind::FileKind;
use crate::store::scans::{self, Scan};

/// Folder of scans in the object store.
pub const FOLDER: &str = "scans";
/// Largest scan in bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Full name of the method, for its idempotency record.
const METHOD: &str = "/wathiq.civil_registry_order.v1.ActService/AttachScan";

/// What the first message of an upload says.
#[derive(Debug, Clone, Copy)]
pub struct AttachScan {
    pub request_id: Uuid,
    /// The office of registration.
    pub office_id: Uuid,
    pub act_id: Option<Uuid>,
    /// The scan that the act has shows another page: it is kept, and this one counts.
    pub supersede: bool,
}

/// Takes the scan in. A repeat is recognised by its bytes and by what it is attached to.
///
/// # Errors
/// [`AppError`]: `FILE_TOO_LARGE`, `FILE_EMPTY`, `FILE_TYPE`, `SCAN_ATTACHED`; an office whose registers are not with the caller's, or an act of
/// other offices, is not found.
pub async fn attach_scan(
    app: &App,
    caller: &Caller,
    asked: AttachScan,
    chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
    encode: impl FnOnce(Uuid) -> Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    visible(app, caller, asked).await?;
    let file = collect(chunks).await?;
    let content_type = FileKind::of(&file)
        .ok_or_else(|| AppError::invalid("chunk", "FILE_TYPE", "must be a whole PDF, JPEG or PNG file"))?
        .content_type();
    let scan = Scan {
        id: app.ambient.uuid_v7(),
        office_id: asked.office_id,
        object_key: String::new(),
        content_type: content_type.to_owned(),
        size_bytes: i64::try_from(file.len()).unwrap_or(i64::MAX),
        sha256: Sha256::digest(&file).into(),
    };
    let scan = Scan {
        object_key: format!(
            "{FOLDER}/{}",
            HEXLOWER.encode(&Sha256::digest(scan.id.as_bytes()))
        ),
        ..scan
    };
    // The object is there before a row names it; what no row names goes again.
    app.objects.put(&scan.object_key, file).await?;
    let recorded = record(app, caller, asked, &scan, encode).await;
    if !matches!(recorded, Ok((_, true)))
        && let Err(error) = app.objects.delete(&scan.object_key).await
    {
        tracing::warn!(
            event = "scan.delete_failed",
            error = status::chain(&error),
            "an object stays behind"
        );
    }
    recorded.map(|(response, _)| response)
}

async fn visible(app: &App, caller: &Caller, asked: AttachScan) -> Result<(), AppError> {
    let mut conn = app.pool.acquire().await?;
    let held = registers::held(&mut conn, &app.ambient, caller).await?;
    registers::some_of(&held, asked.office_id)?;
    if let Some(act_id) = asked.act_id {
        let (act, _) = registers::act(&mut conn, &app.ambient, caller, act_id).await?;
        if act.key.office_id != asked.office_id {
            return Err(AppError::not_found("act", act_id));
        }
    }
    Ok(())
}

async fn collect(
    mut chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
) -> Result<Bytes, AppError> {
    let mut file = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|status| AppError::UploadBroken(Box::new(status)))?;
        if file.len() + chunk.len() > MOST_BYTES {
            return Err(AppError::invalid(
                "chunk",
                "FILE_TOO_LARGE",
                "a scan has at most 8 MiB",
            ));
        }
        file.extend_from_slice(&chunk);
    }
    if file.is_empty() {
        return Err(AppError::invalid("chunk", "FILE_EMPTY", "the file has no bytes"));
    }
    Ok(file.freeze())
}

/// Records the scan; whether its object is to be kept.
async fn record(
    app: &App,
    caller: &Caller,
    asked: AttachScan,
    scan: &Scan,
    encode: impl FnOnce(Uuid) -> Vec<u8>,
) -> Result<(Vec<u8>, bool), AppError> {
    let mut hash = Sha256::new_with_prefix(scan.sha256);
    hash.update(asked.office_id);
    hash.update(asked.act_id.unwrap_or_default());
    hash.update([u8::from(asked.supersede)]);
    let command = Command {
        principal: write::principal(caller),
        method: METHOD,
        request_id: asked.request_id,
        hash: hash.finalize().into(),
    };
    let mut transaction = match idempotent::begin(app, &command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok((response, false)),
    };
    let now = app.ambient.now();
    scans::insert(&mut transaction, scan, caller.person_id, now).await?;
    let superseded = match asked.act_id.filter(|_| asked.supersede) {
        Some(act_id) => scans::of_act(&mut transaction, act_id).await?.map(|scan| scan.id),
        None => None,
    };
    if let Some(act_id) = asked.act_id
        && !scans::attach(&mut transaction, act_id, scan.id, asked.supersede, now).await?
    {
        return Err(AppError::Taken {
            reason: "SCAN_ATTACHED",
            description: "the act has a scan",
        });
    }
    let subject = write::Subject {
        aggregate: "scan",
        id: scan.id,
    };
    let details = json!({
        "office_id": scan.office_id, "act_id": asked.act_id, "supersedes": superseded, "size_bytes": scan.size_bytes,
        "sha256": HEXLOWER.encode(&scan.sha256),
    });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "scan.attach",
        subject,
        details,
    )
    .await?;
    let response = idempotent::finish(transaction, &command, encode(scan.id)).await?;
    Ok((response, true))
}
