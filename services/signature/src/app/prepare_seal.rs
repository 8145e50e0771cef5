//! Prepares the exact bytes of a frozen seal and keeps their digest. A function of the recipe: whoever repeats it, gets the
//! same bytes, so a crash anywhere in it is mended by doing it again.

use bytes::Bytes;
use uuid::Uuid;

use crate::app::{App, AppError, turn};
use crate::domain::intent::{IntentState, Phase, Prepared, SealIntent};
use crate::domain::seal_facts::SealedFileKind;
use crate::pdf::PreparedFile;
use crate::store::{StoreError, documents, intents, requests};

/// Prepares the file of an intent that is frozen; does nothing where none is.
///
/// # Errors
/// [`AppError`]; nothing is lost, the step can be repeated.
pub async fn prepare(app: &App, intent_id: Uuid) -> Result<(), AppError> {
    let _turn = turn::take("prepare", intent_id).await;
    let Some((intent, kind)) = frozen_file(app, intent_id).await? else {
        return Ok(());
    };
    let prepared = prepared_file(app, &intent, kind).await?;
    let mut transaction = app.pool.begin().await?;
    // Somebody else may have been faster; by content they stored the same.
    intents::save_prepared(&mut transaction, intent_id, kind, &prepared).await?;
    transaction.commit().await?;
    Ok(())
}

async fn frozen_file(app: &App, intent_id: Uuid) -> Result<Option<(SealIntent, SealedFileKind)>, AppError> {
    let mut conn = app.pool.acquire().await?;
    let Some(intent) = intents::find(&mut conn, intent_id).await? else {
        return Ok(None);
    };
    let frozen = intent
        .current()
        .filter(|file| file.phase == Phase::Frozen)
        .map(|file| file.kind);
    Ok(frozen
        .filter(|_| intent.state == IntentState::Open)
        .map(|kind| (intent, kind)))
}

/// Makes and stores the bytes, under a key that names their digest: two versions of this program that disagree cannot
/// overwrite each other's file.
async fn prepared_file(app: &App, intent: &SealIntent, kind: SealedFileKind) -> Result<Prepared, AppError> {
    let (file, bytes) = bytes_of(app, intent, kind).await?;
    let digest = data_encoding::HEXLOWER.encode(&file.digest);
    let object_key = format!("prepared/{}/{}-{digest}.pdf", intent.id, kind.as_str());
    app.objects.put(&object_key, bytes).await?;
    Ok(Prepared {
        object_key,
        byte_range: file.byte_range,
        digest: file.digest,
        contents_offset: file.contents_offset,
        contents_len: file.contents_len,
        prepared_at: app.ambient.now(),
    })
}

/// What a file's recipe makes: always the same bytes.
pub(super) async fn bytes_of(
    app: &App,
    intent: &SealIntent,
    kind: SealedFileKind,
) -> Result<(PreparedFile, Bytes), AppError> {
    let recipe = intent.recipe_of(kind).ok_or(StoreError::Inconsistent {
        table: "seal_intent",
        column: "page_recipe",
        id: intent.id,
    })?;
    let (file, bytes) = match kind {
        SealedFileKind::Document => app.pdf.prepare(original(app, intent).await?, recipe).await?,
        SealedFileKind::LegalisationPage => app.pdf.prepare_page(recipe).await?,
    };
    Ok((file, Bytes::from(bytes)))
}

/// The citizen's file as uploaded.
async fn original(app: &App, intent: &SealIntent) -> Result<Bytes, AppError> {
    let missing = |column| StoreError::Inconsistent {
        table: "legalisation_request",
        column,
        id: intent.request_id,
    };
    let key = {
        let mut conn = app.pool.acquire().await?;
        let request = requests::find(&mut conn, intent.request_id)
            .await?
            .ok_or(missing("id"))?;
        let document = documents::find(&mut conn, request.opening.document_id).await?;
        document
            .and_then(|document| document.object_key)
            .ok_or(missing("document_id"))?
    };
    Ok(app.objects.get(&key).await?)
}
