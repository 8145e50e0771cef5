//! The officer seals: a confirmation of exactly these digests, the PIN, one log-in for the batch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::authorise_seals::check_request_id;
use crate::app::seal_crypto::{Chain, SealCryptoError};
use crate::app::seal_problem::{SealProblem, intent_reason};
use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, authorise, finish_seal, turn, write};
use crate::clients::identity::{ConfirmationRecord, Purpose, Redemption};
use crate::domain::credential::Credential;
use crate::domain::intent::{IntentState, SealIntent, Signed};
use crate::domain::role::OFFICER;
use crate::domain::seal_facts::SealedFileKind;
use crate::store::{credentials, intents, requests};

/// Seals finished at the same time.
const FINISHED_AT_ONCE: usize = 4;

/// Which intents, confirmed how.
pub struct Seal {
    /// 1 to 200, distinct.
    pub intent_ids: Vec<Uuid>,
    pub confirmation_id: Uuid,
    /// Used once and forgotten.
    pub pin: SecretString,
}

/// What was sealed and what was not.
pub struct Sealed {
    /// Every request whose key has signed, sealed or waiting for its time-stamp.
    pub requests: Vec<RequestView>,
    pub problems: Vec<SealProblem>,
}

/// One file that the officer seals in this act.
#[derive(Clone)]
struct Item {
    intent_id: Uuid,
    request_id: Uuid,
    kind: SealedFileKind,
    digest: [u8; 32],
    /// Signed already: by an earlier try of this same act.
    signed: bool,
}

/// Seals authorised intents. AWAITING_SIGNATURE → SEALED → DELIVERED, or waiting for the time-stamp.
///
/// A repeat with the same request id continues where the first try ended, with the same confirmation; with a wrong PIN nothing
/// has happened. Another request id needs another confirmation.
///
/// # Errors
/// [`AppError`] where nothing of the batch was done; else each intent's own problem stands in the answer.
pub async fn seal(
    app: &Arc<App>,
    caller: &Caller,
    command: &Command,
    asked: Seal,
) -> Result<Sealed, AppError> {
    authorise::staff(caller)?;
    let (problems, _, credential) = items_of(app, caller, &asked).await?;
    let Some(credential) = credential else {
        return Ok(Sealed {
            requests: Vec::new(),
            problems,
        });
    };
    authorise::live_role(app, caller, credential.office_id, OFFICER).await?;
    check_request_id(app, command).await?;
    credential.usable_at(app.ambient.now())?;
    check_revocation(app, &credential).await?;
    // One act at a time with a key; a repeat then finds what the first try has done.
    let turn = turn::take("seal", credential.id).await;
    let (problems, items, _) = items_of(app, caller, &asked).await?;
    let record = redeem(app, caller, command, &asked, &items).await?;
    authorise_items(app, caller, &items, &record).await?;
    // From here on a caller who hangs up must not stop the work between the key's answer and its storing.
    let (app, caller) = (Arc::clone(app), caller.clone());
    let work = async move {
        let _turn = turn;
        sign(&app, &caller, &credential, &items, asked).await?;
        finish_all(&app, &items).await;
        views(&app, &items).await
    };
    let requests = tokio::spawn(work).await.map_err(|_| AppError::WorkLost)??;
    Ok(Sealed { requests, problems })
}

async fn check_revocation(app: &App, credential: &Credential) -> Result<(), AppError> {
    let ders = std::iter::once(&credential.certificate).chain(&credential.issuers);
    let chain: Vec<&[u8]> = ders.map(Vec::as_slice).collect();
    if app.trust.is_revoked(&chain).await {
        return Err(AppError::refused(
            "CREDENTIAL_REVOKED",
            credential.id,
            "the certificate is revoked",
        ));
    }
    Ok(())
}

/// Has the key sign what it has not signed yet, checks its answers and stores them.
async fn sign(
    app: &App,
    caller: &Caller,
    credential: &Credential,
    items: &[Item],
    asked: Seal,
) -> Result<(), AppError> {
    let pending: Vec<Item> = items.iter().filter(|item| !item.signed).cloned().collect();
    if pending.is_empty() {
        return Ok(());
    }
    let chain = Chain::of(credential).map_err(AppError::SealCrypto)?;
    let messages = pending
        .iter()
        .map(|item| chain.to_be_signed(&item.digest))
        .collect();
    let started = Instant::now();
    match app.keys.sign(&credential.key, asked.pin, messages).await {
        Ok(values) => {
            metrics::histogram!("signing_seconds", "backend" => "pkcs11")
                .record(started.elapsed().as_secs_f64());
            store_values(app, &chain, &pending, values, asked.confirmation_id).await
        }
        Err(error) => Err(refused_by_key(app, caller, &pending, error.into()).await),
    }
}

/// The files of this act, and the one credential they are sealed with; none where no intent can be sealed.
async fn items_of(
    app: &App,
    caller: &Caller,
    asked: &Seal,
) -> Result<(Vec<SealProblem>, Vec<Item>, Option<Credential>), AppError> {
    let mut conn = app.pool.acquire().await?;
    let (mut problems, mut items, mut credential_id) = (Vec::new(), Vec::new(), None);
    for id in &asked.intent_ids {
        let intent = intents::find(&mut conn, *id).await?.filter(|intent| {
            intent.officer_id == caller.person_id && caller.holds(intent.office_id, OFFICER)
        });
        let Some(intent) = intent else {
            problems.push(SealProblem::of_intent(
                *id,
                "SEAL_INTENT_NOT_FOUND",
                "the intent is not known",
            ));
            continue;
        };
        match item_of(&intent, asked.confirmation_id) {
            Ok(item) => items.push(item),
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        }
        if *credential_id.get_or_insert(intent.credential_id) != intent.credential_id {
            let text = "all intents of a batch must be of one credential";
            return Err(AppError::invalid("intent_ids", "MIXED_CREDENTIALS", text));
        }
    }
    let credential = match credential_id {
        Some(id) => credentials::find(&mut conn, id).await?,
        None => None,
    };
    Ok((problems, items, credential))
}

/// The file of an intent that this act is about: the one this confirmation signed before, else the one that waits.
fn item_of(intent: &SealIntent, confirmation_id: Uuid) -> Result<Item, SealProblem> {
    let item = |kind, digest, signed| Item {
        intent_id: intent.id,
        request_id: intent.request_id,
        kind,
        digest,
        signed,
    };
    let before = intent.files.iter().find_map(|file| {
        let signed = file
            .signed()
            .filter(|signed| signed.confirmation_id == confirmation_id)?;
        let _: &Signed = signed;
        Some(item(file.kind, file.prepared()?.digest, true))
    });
    match (before, intent.to_confirm()) {
        (Some(item), _) if intent.state != IntentState::Annulled => Ok(item),
        (_, Ok((kind, prepared))) => Ok(item(kind, prepared.digest, false)),
        (_, Err(error)) => Err(SealProblem::of_intent(
            intent.id,
            intent_reason(error),
            error.to_string(),
        )),
    }
}

/// Uses the confirmation up. Bound to this request id: the same call repeated gets the same record, another call none.
async fn redeem(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: &Seal,
    items: &[Item],
) -> Result<ConfirmationRecord, AppError> {
    let parts = [
        command.request_id.as_bytes().as_slice(),
        asked.confirmation_id.as_bytes().as_slice(),
    ];
    let redemption = Redemption {
        request_id: authorise::derived_request_id("seal", &parts),
        confirmation_id: asked.confirmation_id,
        person_id: caller.person_id,
        purpose: Purpose::Seal,
        hashes: items.iter().map(|item| item.digest).collect(),
    };
    Ok(app.identity.redeem(redemption).await?)
}

/// Writes down, before the key is touched, who confirmed what.
async fn authorise_items(
    app: &App,
    caller: &Caller,
    items: &[Item],
    record: &ConfirmationRecord,
) -> Result<(), AppError> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    for item in items {
        let authorisation = intents::Authorisation {
            intent_id: item.intent_id,
            kind: item.kind,
            confirmation_id: record.confirmation_id,
            method: &record.method,
            confirmed_at: record.confirmed_at,
            jws: &record.jws,
            digest: &item.digest,
        };
        intents::authorise(&mut transaction, &authorisation, now).await?;
        audit_item(app, &mut transaction, caller, item, "seal.confirm", "done", None).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn audit_item(
    app: &App,
    conn: &mut sqlx::PgConnection,
    caller: &Caller,
    item: &Item,
    action: &'static str,
    outcome: &'static str,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &write::principal(caller),
        action,
        aggregate: "legalisation_request",
        aggregate_id: item.request_id,
        outcome,
        reason,
        details: json!({ "intent_id": item.intent_id, "file": item.kind.as_str() }),
    };
    audit::record(conn, &app.ambient, entry).await?;
    Ok(())
}

/// A key that did not sign leaves its trace. The refusal itself is what the caller hears, whatever becomes of the trace.
async fn refused_by_key(app: &App, caller: &Caller, items: &[Item], error: AppError) -> AppError {
    let reason = match &error {
        AppError::Refused { reason, .. } => *reason,
        _ => "KEY_UNAVAILABLE",
    };
    let trace = async {
        let mut transaction = app.pool.begin().await?;
        for item in items {
            audit_item(
                app,
                &mut transaction,
                caller,
                item,
                "seal.sign",
                "refused",
                Some(reason),
            )
            .await?;
        }
        transaction.commit().await?;
        Ok::<_, AppError>(())
    };
    match trace.await {
        Ok(()) => error,
        Err(failure) => failure,
    }
}

/// Checks each value against the certificate and the confirmed digest, then stores it.
async fn store_values(
    app: &App,
    chain: &Chain,
    items: &[Item],
    values: Vec<Vec<u8>>,
    confirmation_id: Uuid,
) -> Result<(), AppError> {
    let now = app.ambient.now();
    for (item, value) in items.iter().zip(values) {
        chain.check(&item.digest, &value).map_err(mismatch)?;
        let signed = Signed {
            confirmation_id,
            signature_value: value,
            signed_at: now,
        };
        let mut transaction = app.pool.begin().await?;
        // Not saved: another try of this act was faster, and its value stands.
        intents::save_signed(
            &mut transaction,
            item.intent_id,
            item.kind,
            &signed,
            now + finish_seal::FIRST_RETRY,
        )
        .await?;
        transaction.commit().await?;
    }
    Ok(())
}

fn mismatch(error: SealCryptoError) -> AppError {
    match error {
        SealCryptoError::Cms(_) => AppError::refused(
            "KEY_MISMATCH",
            "signing_credential",
            "the token's key does not belong to the registered certificate",
        ),
        other => AppError::SealCrypto(other),
    }
}

/// Finishes what is signed. What fails here is finished by the job, without the officer.
async fn finish_all(app: &App, items: &[Item]) {
    stream::iter(items)
        .for_each_concurrent(FINISHED_AT_ONCE, |item| async move {
            if let Err(error) = finish_seal::finish(app, item.intent_id).await {
                finish_seal::log(item.intent_id, &error);
            }
        })
        .await;
}

async fn views(app: &App, items: &[Item]) -> Result<Vec<RequestView>, AppError> {
    let mut conn = app.pool.acquire().await?;
    let mut found = HashMap::new();
    for item in items {
        if let Some(request) = requests::find(&mut conn, item.request_id).await? {
            found.insert(item.request_id, request);
        }
    }
    let ordered = items
        .iter()
        .filter_map(|item| found.remove(&item.request_id))
        .collect();
    view::of_all(&mut conn, ordered).await
}
