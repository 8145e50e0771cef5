//! What the owner of issued documents asks: one of them, its file, all of them, and that one be taken back.

use uuid::Uuid;
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::idempotent::{self, Begun};
use crate::app::view::Encode;
use crate::app::{App, AppError, write};
use crate::domain::issued_document::IssuedDocument;
use crate::events::issued;
use crate::storage::Reader;
use crate::store::issued_documents;

/// Which document an owner means.
pub enum Key {
    Id(Uuid),
    /// The last that was deposited under the reference.
    Reference(String),
}

/// A document of the caller.
///
/// # Errors
/// [`AppError::NotFound`], also for another owner's.
pub async fn get(app: &App, owner: &str, key: &Key) -> Result<IssuedDocument, AppError> {
    let mut conn = app.pool.acquire().await?;
    let (found, id) = match key {
        Key::Id(id) => (issued_documents::find_own(&mut conn, owner, *id).await?, *id),
        Key::Reference(reference) => (
            issued_documents::by_reference(&mut conn, owner, reference).await?,
            Uuid::nil(),
        ),
    };
    found.ok_or(not_found(id))
}

fn not_found(id: Uuid) -> AppError {
    AppError::NotFound {
        resource: "issued_document",
        id,
    }
}

/// A file on its way.
pub struct Download {
    pub reader: Reader,
    /// Of the sealed file; none for a prepared one.
    pub sha256: Option<[u8; 32]>,
}

/// The sealed file of a document; the prepared one where that is allowed and nothing is sealed.
///
/// # Errors
/// [`AppError`]: `DOCUMENT_NOT_SEALED`, or for a withdrawn or failed one `DOCUMENT_WITHDRAWN` and `DOCUMENT_FAILED`.
pub async fn download(app: &App, owner: &str, id: Uuid, allow_prepared: bool) -> Result<Download, AppError> {
    let document = get(app, owner, &Key::Id(id)).await?;
    if let Some(file) = document.sealed() {
        return Ok(Download {
            reader: app.objects.read(&file.object_key, 0, None).await?,
            sha256: Some(file.sha256),
        });
    }
    // What was withdrawn, or has failed, has no file any more.
    match document.may_withdraw() {
        Ok(false) => {
            return Err(AppError::refused(
                "DOCUMENT_WITHDRAWN",
                id,
                "the document was withdrawn",
            ));
        }
        Err(error) if error.reason() == "DOCUMENT_FAILED" => {
            return Err(AppError::refused(error.reason(), id, error.to_string()));
        }
        _ => {}
    }
    if !allow_prepared {
        let text = "the document is not sealed yet";
        return Err(AppError::refused("DOCUMENT_NOT_SEALED", id, text));
    }
    Ok(Download {
        reader: app.objects.read(&document.prepared.object_key, 0, None).await?,
        sha256: None,
    })
}

/// Documents of the caller in order of deposit, after `after`.
///
/// # Errors
/// [`AppError`].
pub async fn list(
    app: &App,
    owner: &str,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<IssuedDocument>, AppError> {
    let mut conn = app.pool.acquire().await?;
    Ok(issued_documents::of_owner(&mut conn, owner, after, limit).await?)
}

/// Takes a document back. WAITING_FOR_OFFICER → WITHDRAWN
///
/// # Errors
/// [`AppError`]: `DOCUMENT_SEALED` from the key's signature on, `DOCUMENT_FAILED`.
pub async fn withdraw(
    app: &App,
    owner: &str,
    command: &Command,
    id: Uuid,
    encode: Encode<IssuedDocument>,
) -> Result<Vec<u8>, AppError> {
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let found = issued_documents::lock_own(&mut transaction, owner, id).await?;
    let document = found.ok_or(not_found(id))?;
    let withdraws = document
        .may_withdraw()
        .map_err(|error| AppError::refused(error.reason(), id, error.to_string()))?;
    if withdraws {
        issued_documents::withdraw(&mut transaction, id, app.ambient.now()).await?;
        wathiq_outbox::append(&mut transaction, &app.ambient, issued::withdrawn(&document)).await?;
        let entry = AuditEntry {
            person_id: None,
            principal: &write::service(owner),
            action: "issued_document.withdraw",
            aggregate: "issued_document",
            aggregate_id: id,
            outcome: "done",
            reason: None,
            details: serde_json::Value::Null,
        };
        audit::record(&mut transaction, &app.ambient, entry).await?;
    }
    let after = issued_documents::lock_own(&mut transaction, owner, id).await?;
    let response = encode(&after.ok_or(not_found(id))?);
    idempotent::finish(transaction, command, response).await
}
