//! From the key's answer to the sealed file: time-stamp, CMS, bytes in the store, then the rows that name them.
//!
//! No key is needed here, so this also runs by itself: for seals that waited for the time-stamp authority, and after a
//! crash at any point. Two processes may finish the same file at once; the first to commit wins, and the other's bytes are
//! an object that no row names.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::judge_seal::{self, Rejection};
use crate::app::seal_crypto::{self, Chain};
use crate::app::{App, AppError, certificate_watch, prepare_seal, turn, write};
use crate::domain::credential::Credential;
use crate::domain::fact::Commitment;
use crate::domain::intent::{Hindrance, IntentState, Phase, Prepared, SealIntent, Signed};
use crate::domain::revision::SealedRevision;
use crate::domain::seal_facts::SealedFileKind;
use crate::pdf::PdfError;
use crate::storage::StorageError;
use crate::store::{StoreError, credentials, intents, register, requests, revisions};
use crate::timestamp::TimestampError;

/// When the job first looks after a step that the officer's own call has begun.
pub(super) const FIRST_RETRY: TimeDelta = TimeDelta::seconds(5);
/// Longest pause between two tries.
const LAST_RETRY: TimeDelta = TimeDelta::seconds(60);
/// How long one process keeps a due file from the others.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Due files taken at once.
const BATCH: i64 = 8;
/// Pause of the job between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// Pause before a seal that cannot be finished is tried again: what was wrong may have been this service's own trust anchors.
const UNFINISHABLE_RETRY: TimeDelta = TimeDelta::minutes(15);
/// So long after it was stored a file may still be named by a row; files that are swept away are much older.
const NAMED_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// Why a seal is not finished. Nothing is lost; the seal waits.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    #[error("the seal has no time-stamp yet")]
    TimeStamp(#[from] TimestampError),
    /// The bytes were made, and are not issued.
    #[error("the finished seal does not stand: {finding}")]
    Rejected { hindrance: Hindrance, finding: String },
    #[error(transparent)]
    App(#[from] AppError),
}

impl FinishError {
    /// What is said of the seal meanwhile; none where the next try may well succeed.
    fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Self::TimeStamp(_) => Some(Hindrance::TimeStampMissing),
            Self::Rejected { hindrance, .. } => Some(*hindrance),
            Self::App(_) => None,
        }
    }

    fn unfinishable(finding: impl Into<String>) -> Self {
        Self::Rejected {
            hindrance: Hindrance::Unfinishable,
            finding: finding.into(),
        }
    }
}

impl From<Rejection> for FinishError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected {
            hindrance: rejection.hindrance,
            finding: rejection.finding,
        }
    }
}

/// A sealed file, made, judged and stored, but named by no row yet.
struct Finished {
    object_key: String,
    size_bytes: i64,
    sha256: [u8; 32],
    /// PAdES level, such as `B-T`.
    level: &'static str,
    stored_at: DateTime<Utc>,
}

/// Finishes the file of an intent that is signed; does nothing where none is.
///
/// # Errors
/// [`FinishError`]; the step can be repeated.
pub async fn finish(app: &App, intent_id: Uuid) -> Result<(), FinishError> {
    let _turn = turn::take("finish", intent_id).await;
    let Some((intent, credential)) = signed_intent(app, intent_id).await? else {
        return Ok(());
    };
    let Some((kind, prepared, signed)) = signed_file(&intent) else {
        return Ok(());
    };
    let finished = match finished_file(app, &intent, &credential, kind, prepared, signed).await {
        Ok(finished) => finished,
        Err(error) => return Err(noted(app, intent_id, kind, error).await),
    };
    let page_follows = record(app, &intent, kind, &finished).await?;
    if page_follows {
        prepare_seal::prepare(app, intent_id).await?;
    }
    Ok(())
}

async fn signed_intent(app: &App, intent_id: Uuid) -> Result<Option<(SealIntent, Credential)>, AppError> {
    let mut conn = app.pool.acquire().await?;
    let Some(intent) = intents::find(&mut conn, intent_id).await? else {
        return Ok(None);
    };
    let credential =
        credentials::find(&mut conn, intent.credential_id)
            .await?
            .ok_or(StoreError::Inconsistent {
                table: "seal_intent",
                column: "credential_id",
                id: intent.id,
            })?;
    Ok(Some((intent, credential)))
}

fn signed_file(intent: &SealIntent) -> Option<(SealedFileKind, &Prepared, &Signed)> {
    let file = intent.current().filter(|_| intent.state == IntentState::Open)?;
    match &file.phase {
        Phase::Signed(prepared, signed) => Some((file.kind, prepared, signed)),
        _ => None,
    }
}

/// Leaves word of what the seal waits for.
async fn noted(app: &App, intent_id: Uuid, kind: SealedFileKind, error: FinishError) -> FinishError {
    let Some(hindrance) = error.hindrance() else {
        return error;
    };
    metrics::counter!("seals_hindered_total", "hindrance" => hindrance.as_str()).increment(1);
    let note = async {
        let mut conn = app.pool.acquire().await?;
        intents::note_hindrance(&mut conn, intent_id, kind, hindrance).await?;
        Ok::<_, AppError>(())
    };
    match note.await {
        Ok(()) => error,
        Err(failure) => failure.into(),
    }
}

async fn finished_file(
    app: &App,
    intent: &SealIntent,
    credential: &Credential,
    kind: SealedFileKind,
    prepared: &Prepared,
    signed: &Signed,
) -> Result<Finished, FinishError> {
    let file = prepared_bytes(app, intent, kind, prepared).await?;
    let token = app.timestamp.stamp(&signed.signature_value).await?;
    let chain = Chain::of(credential).map_err(AppError::SealCrypto)?;
    let bytes = chain
        .finish(prepared, &file, &signed.signature_value, &token)
        .map_err(AppError::SealCrypto)?;
    let bytes = Bytes::from(bytes);
    let sha256: [u8; 32] = Sha256::digest(&bytes).into();
    let level = judge_seal::judge(app, intent, sha256, bytes.clone()).await??;
    let hash = data_encoding::HEXLOWER.encode(&sha256);
    let object_key = format!("sealed/{}/{}-{hash}.pdf", intent.id, kind.as_str());
    let size_bytes = i64::try_from(bytes.len()).expect("a file in memory has fewer than 2^63 bytes");
    let stored_at = app.ambient.now();
    // The file is durable before a row names it.
    app.objects
        .put(&object_key, bytes)
        .await
        .map_err(AppError::from)?;
    Ok(Finished {
        object_key,
        size_bytes,
        sha256,
        level,
        stored_at,
    })
}

/// The prepared file as stored. One that is lost or damaged is prepared again: the recipe is frozen, so that it becomes what
/// the officer confirmed, to the byte; or else it is lost for good.
async fn prepared_bytes(
    app: &App,
    intent: &SealIntent,
    kind: SealedFileKind,
    prepared: &Prepared,
) -> Result<Bytes, FinishError> {
    match app.objects.get(&prepared.object_key).await {
        Ok(file) if seal_crypto::has_digest(&file, prepared) => return Ok(file),
        Ok(_) | Err(StorageError::NotFound { .. }) => {}
        Err(error) => return Err(AppError::from(error).into()),
    }
    tracing::warn!(
        event = "seal.prepared_file_lost",
        intent_id = %intent.id,
        "a prepared file is made again from its recipe"
    );
    let bytes = match prepare_seal::bytes_of(app, intent, kind).await {
        Ok((_, bytes)) => bytes,
        Err(AppError::Storage(StorageError::NotFound { .. })) => {
            return Err(FinishError::unfinishable("the citizen's file is lost"));
        }
        Err(AppError::Pdf(error @ (PdfError::Impossible(_) | PdfError::Refused(_)))) => {
            return Err(FinishError::unfinishable(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    if !seal_crypto::has_digest(&bytes, prepared) {
        let finding = "prepared again, the file is not the one that was confirmed";
        return Err(FinishError::unfinishable(finding));
    }
    app.objects
        .put(&prepared.object_key, bytes.clone())
        .await
        .map_err(AppError::from)?;
    Ok(bytes)
}

/// Writes the finished file down and, with the last one, ends intent, register entry and request. Answers whether the separate
/// page is to be prepared now.
async fn record(
    app: &App,
    intent: &SealIntent,
    kind: SealedFileKind,
    file: &Finished,
) -> Result<bool, AppError> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    let request = requests::lock(&mut transaction, intent.request_id).await?;
    let request = request.ok_or(AppError::request_not_found(intent.request_id))?;
    let locked = intents::lock(&mut transaction, intent.id).await?;
    if locked.is_none_or(|locked| locked.state != IntentState::Open)
        || !intents::save_finished(&mut transaction, intent.id, kind, now).await?
    {
        return Ok(false);
    }
    if now - file.stored_at > NAMED_WITHIN {
        return Err(AppError::WorkLost);
    }
    let revision = SealedRevision {
        intent_id: intent.id,
        kind,
        revision: 1,
        request_id: intent.request_id,
        object_key: file.object_key.clone(),
        size_bytes: file.size_bytes,
        sha256: file.sha256,
        commitment: intent.salt.commit(&file.sha256),
        level: file.level.to_owned(),
        sealed_at: now,
    };
    revisions::insert(&mut transaction, &revision).await?;
    if !intent.completes_with(kind) {
        let recipe = intent.page_naming(&file.sha256).ok_or(StoreError::Inconsistent {
            table: "seal_intent",
            column: "page_recipe",
            id: intent.id,
        })?;
        intents::add_page(&mut transaction, intent.id, &recipe, now + FIRST_RETRY).await?;
        transaction.commit().await?;
        return Ok(true);
    }
    let commitments = commitments(&mut transaction, intent.id).await?;
    let (request, sealed) = request.seal(intent.id, intent.register, file.level, commitments, now)?;
    write::record(&mut transaction, &app.ambient, &request, &sealed).await?;
    let (request, delivered) = request.deliver(now)?;
    write::record(&mut transaction, &app.ambient, &request, &delivered).await?;
    register::end(&mut transaction, intent.id, None).await?;
    intents::end(&mut transaction, intent.id, IntentState::Sealed).await?;
    audit_sealed(app, &mut transaction, intent).await?;
    transaction.commit().await?;
    metrics::counter!("seals_total").increment(1);
    Ok(false)
}

async fn commitments(conn: &mut PgConnection, intent_id: Uuid) -> Result<Vec<Commitment>, AppError> {
    let revisions = revisions::of_intent(conn, intent_id).await?;
    let commitment = |revision: SealedRevision| Commitment {
        kind: revision.kind,
        revision: revision.revision,
        value: revision.commitment,
    };
    Ok(revisions.into_iter().map(commitment).collect())
}

/// The service acts here by itself, for the decision of the officer that the intent records.
async fn audit_sealed(app: &App, conn: &mut PgConnection, intent: &SealIntent) -> Result<(), AppError> {
    let entry = AuditEntry {
        person_id: Some(intent.officer_id),
        principal: "service:signature",
        action: "seal.finish",
        aggregate: "legalisation_request",
        aggregate_id: intent.request_id,
        outcome: "done",
        reason: None,
        details: json!({ "intent_id": intent.id }),
    };
    audit::record(conn, &app.ambient, entry).await?;
    Ok(())
}

/// Logs once why a seal is not finished.
pub(super) fn log(intent_id: Uuid, error: &FinishError) {
    let chain = wathiq_chassis::status::chain(error);
    tracing::warn!(event = "seal.not_finished", intent_id = %intent_id, error = chain, "a seal waits");
}

/// Takes every due file one step further and returns how many were due: prepares the frozen, finishes the signed.
///
/// # Errors
/// [`AppError`] when the database does not answer; what a single file meets is logged and tried again.
pub async fn sweep(app: &App) -> Result<usize, AppError> {
    let now = app.ambient.now();
    let due = {
        let mut conn = app.pool.acquire().await?;
        intents::claim_due(&mut conn, now, now + LEASE, BATCH).await?
    };
    for file in &due {
        let step = async {
            prepare_seal::prepare(app, file.intent_id).await?;
            finish(app, file.intent_id).await
        };
        if let Err(error) = step.await {
            log(file.intent_id, &error);
            let until = app.ambient.now() + pause_after(&error, file.attempts);
            let mut conn = app.pool.acquire().await?;
            intents::postpone(&mut conn, file.intent_id, until).await?;
        }
    }
    Ok(due.len())
}

fn pause_after(error: &FinishError, attempts: i32) -> TimeDelta {
    if error.hindrance() == Some(Hindrance::Unfinishable) {
        return UNFINISHABLE_RETRY;
    }
    let pause = FIRST_RETRY * 2_i32.pow(attempts.clamp(1, 8).unsigned_abs() - 1);
    pause.min(LAST_RETRY)
}

/// Sweeps until shutdown, and watches the officers' certificates.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        match sweep(&app).await {
            // A full batch: there may be more.
            Ok(found)
                if i64::try_from(found).is_ok_and(|found| found >= BATCH) && !shutdown.is_cancelled() =>
            {
                continue;
            }
            Ok(_) => {}
            Err(error) => {
                let error = wathiq_chassis::status::chain(&error);
                tracing::warn!(
                    event = "seal.sweep_failed",
                    error,
                    "unfinished seals were not looked at"
                );
            }
        }
        certificate_watch::measure(&app).await;
        if shutdown
            .run_until_cancelled(tokio::time::sleep(PAUSE))
            .await
            .is_none()
        {
            return;
        }
    }
}
