//! Another service deposits a document: taken in and prepared by a worker, stored, recorded.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::idempotent::{self, Begun};
use crate::app::view::Encode;
use crate::app::{App, AppError, freeze, write};
use crate::domain::commitment::Salt;
use crate::domain::intent::Prepared;
use crate::domain::issued_document::{Deposit, IssuedDocument, IssuedState, MAX_BYTES, Stage};
use crate::domain::recipe::{CONTENTS_CAPACITY, Field, Recipe};
use crate::events::issued;
use crate::store::issued_documents::{self, Added};

/// Folder of prepared files.
pub(super) const FOLDER: &str = "issued-prepared";

/// Full name of the method, for its idempotency record.
const METHOD: &str = "/wathiq.signature.v1.IssuedDocumentService/DepositIssuedDocument";

/// Takes a document in. → WAITING_FOR_OFFICER
///
/// A repeat is recognised by owner, reference and content, whatever its request id.
///
/// # Errors
/// [`AppError`]: `FILE_TOO_LARGE`, `FILE_EMPTY`, `OWNER_REFERENCE_TAKEN`, `VERIFICATION_CODE_TAKEN`, or what intake says of the file.
pub async fn deposit_issued(
    app: &App,
    request_id: Uuid,
    mut deposit: Deposit,
    chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
    encode: Encode<IssuedDocument>,
) -> Result<Vec<u8>, AppError> {
    let file = received(chunks).await?;
    deposit.source_sha256 = Sha256::digest(&file).into();
    if let Some(standing) = standing(app, &deposit).await? {
        return Ok(encode(&standing));
    }
    let document = prepared(app, deposit, file).await?;
    let stored = record(app, request_id, &document, encode).await;
    if !matches!(stored, Ok(Stored::New(_)) | Err(AppError::Store(_))) {
        discard(app, &document.prepared.object_key).await;
    }
    match stored {
        Ok(Stored::New(response) | Stored::Before(response)) => Ok(response),
        // A repeat that ran at the same time may have been faster: then its document is the answer.
        Err(taken @ AppError::Taken { .. }) => match standing(app, &document.deposit).await? {
            Some(standing) => Ok(encode(&standing)),
            None => Err(taken),
        },
        Err(error) => Err(error),
    }
}

/// An answer, and whether this very call has brought it about.
enum Stored {
    New(Vec<u8>),
    Before(Vec<u8>),
}

async fn received(
    mut chunks: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin,
) -> Result<Bytes, AppError> {
    let mut file = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|status| AppError::UploadBroken(Box::new(status)))?;
        if file.len() + chunk.len() > MAX_BYTES {
            let text = "a document has at most 5 MiB";
            return Err(AppError::invalid("chunk", "FILE_TOO_LARGE", text));
        }
        file.extend_from_slice(&chunk);
    }
    if file.is_empty() {
        return Err(AppError::invalid("chunk", "FILE_EMPTY", "the file has no bytes"));
    }
    Ok(file.freeze())
}

/// The document that stands under the reference, where it is this very one.
async fn standing(app: &App, deposit: &Deposit) -> Result<Option<IssuedDocument>, AppError> {
    let mut conn = app.pool.acquire().await?;
    // First, so that what is deposited in between is found under its reference.
    let code_taken = issued_documents::is_code_taken(&mut conn, deposit.code.as_str()).await?;
    let found = issued_documents::by_reference(&mut conn, &deposit.owner, &deposit.owner_reference).await?;
    match found {
        Some(found) if matches!(found.state(), IssuedState::Withdrawn | IssuedState::Failed) => {}
        Some(found) if found.deposit == *deposit => return Ok(Some(found)),
        Some(_) => return Err(taken(Added::ReferenceTaken)),
        None => {}
    }
    if code_taken {
        return Err(taken(Added::CodeTaken));
    }
    Ok(None)
}

fn taken(added: Added) -> AppError {
    match added {
        Added::CodeTaken => AppError::Taken {
            reason: "VERIFICATION_CODE_TAKEN",
            description: "another document carries this verification code; choose another one",
        },
        Added::ReferenceTaken | Added::Yes => AppError::Taken {
            reason: "OWNER_REFERENCE_TAKEN",
            description: "another document stands under this owner reference; withdraw it first",
        },
    }
}

async fn prepared(app: &App, deposit: Deposit, file: Bytes) -> Result<IssuedDocument, AppError> {
    let now = app.ambient.now();
    let recipe = Recipe {
        mark: None,
        page: None,
        field: Field::Invisible {
            name: format!("Wathiq_{}", deposit.code.as_str()),
        },
        signing_time: freeze::signing_time(now),
        reason: deposit.title.fr.clone(),
        // Who seals and where is not known yet: the certificate and the act's record say it.
        location: String::new(),
        signer_name: String::new(),
        id_seed: app.ambient.bytes(),
        contents_capacity: CONTENTS_CAPACITY,
    };
    let (prepared, bytes) = app.pdf.deposit(file, &recipe).await?;
    let id = app.ambient.uuid_v7();
    let object_key = format!("{FOLDER}/{id}.pdf");
    app.objects.put(&object_key, Bytes::from(bytes)).await?;
    Ok(IssuedDocument {
        id,
        deposit,
        salt: Salt(app.ambient.bytes()),
        prepared: Prepared {
            object_key,
            byte_range: prepared.byte_range,
            digest: prepared.digest,
            contents_offset: prepared.contents_offset,
            contents_len: prepared.contents_len,
            prepared_at: now,
        },
        stage: Stage::WaitingForOfficer,
        hindrance: None,
        attempts: 0,
    })
}

async fn record(
    app: &App,
    request_id: Uuid,
    document: &IssuedDocument,
    encode: Encode<IssuedDocument>,
) -> Result<Stored, AppError> {
    let deposit = &document.deposit;
    let command = Command {
        principal: write::service(&deposit.owner),
        method: METHOD,
        request_id,
        hash: fingerprint(deposit),
    };
    let mut transaction = match idempotent::begin(app, &command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(Stored::Before(response)),
    };
    match issued_documents::insert(&mut transaction, document).await? {
        Added::Yes => {}
        refused => return Err(taken(refused)),
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, issued::deposited(document)).await?;
    let entry = AuditEntry {
        person_id: None,
        principal: &command.principal,
        action: "issued_document.deposit",
        aggregate: "issued_document",
        aggregate_id: document.id,
        outcome: "done",
        reason: None,
        details: json!({ "owner_reference": deposit.owner_reference, "office_id": deposit.office_id, "kind": deposit.kind }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    let response = encode(document);
    Ok(Stored::New(
        idempotent::finish(transaction, &command, response).await?,
    ))
}

/// SHA-256 of everything a deposit says.
fn fingerprint(deposit: &Deposit) -> [u8; 32] {
    let title = &deposit.title;
    let texts = [
        &deposit.owner_reference,
        &deposit.kind,
        &title.ar,
        &title.fr,
        &title.en,
        deposit.code.as_str(),
        deposit.seal_mode.as_str(),
    ];
    let mut hash = Sha256::new();
    hash.update(deposit.office_id.as_bytes());
    hash.update(deposit.source_sha256);
    hash.update(deposit.signing_officer.unwrap_or_default().as_bytes());
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// What no row names is not kept. A failure to delete is left to the sweep of files that no row names.
async fn discard(app: &App, key: &str) {
    if let Err(error) = app.objects.delete(key).await {
        tracing::warn!(
            event = "deposit.delete_failed",
            error = wathiq_chassis::status::chain(&error),
            "a prepared file stays behind"
        );
    }
}
