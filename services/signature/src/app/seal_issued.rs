//! An officer seals a batch of issued documents: a confirmation of exactly these digests, one log-in at the key.
//!
//! What can be done once is written down first: the confirmation with its digests before a key is touched, the key's answers
//! before they are used. From there on the work goes on without the officer and without a key.

mod credential;
mod items;
mod trace;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tracing::Instrument;
use uuid::Uuid;
use wathiq_chassis::{CallContext, Caller};
use wathiq_outbox::Command;

use crate::app::authorise_seals::check_request_id;
use crate::app::seal_crypto::{Chain, SealCryptoError};
use crate::app::{App, AppError, authorise, finish_issued, revocation, turn};
use crate::clients::identity::{ConfirmationRecord, Purpose, Redemption};
use crate::domain::credential::Credential;
use crate::domain::issued_document::IssuedDocument;
use crate::domain::role::OFFICER;
use crate::store::issued_documents::{self, Value};
use credential::Chosen;
pub use items::IssuedProblem;
use items::{Batch, Item};

/// The name in the audit trail.
pub const ACTION: &str = "issued_document.seal";

/// How long a call waits for its seals at most.
const LONGEST_WAIT: Duration = Duration::from_secs(45);
/// What is kept of the call's time for answering it.
const TIME_TO_ANSWER: Duration = Duration::from_secs(3);

/// Which documents, confirmed how.
pub struct SealIssued {
    /// 1 to 200, distinct.
    pub ids: Vec<Uuid>,
    pub confirmation_id: Uuid,
    /// Of the officer's token; none for an electronic seal. Used once and forgotten.
    pub pin: Option<SecretString>,
    pub credential_id: Option<Uuid>,
}

/// What was sealed and what was not.
pub struct SealedIssued {
    /// Every document whose key has signed, sealed or waiting for its time-stamp.
    pub documents: Vec<IssuedDocument>,
    pub problems: Vec<IssuedProblem>,
}

/// Seals a batch. WAITING_FOR_OFFICER → SIGNED → SEALED
///
/// The confirmation is used up for this request id before the key is touched. A repeat with the same id continues where the first
/// try ended, with the same confirmation, also with the right PIN after a wrong one, which leaves but a trace. Another request id
/// needs another confirmation.
///
/// # Errors
/// [`AppError`] where nothing of the batch was done; else each document's own problem stands in the answer.
pub async fn seal_issued(
    app: &Arc<App>,
    caller: &Caller,
    command: &Command,
    asked: SealIssued,
) -> Result<SealedIssued, AppError> {
    authorise::staff(caller)?;
    let batch = items::batch_of(app, caller, &asked).await?;
    let Some(mode) = batch.mode else {
        return Ok(only(batch.problems));
    };
    authorise::live_role(app, caller, batch.office_id, OFFICER).await?;
    check_request_id(app, command).await?;
    let chosen = credential::choose(app, caller, &batch, mode, &asked).await?;
    chosen.credential.usable_at(app.ambient.now())?;
    revocation::check_credential(app, &chosen.credential).await?;
    let office = app.identity.office(batch.office_id).await?;
    // One act at a time with a key; a repeat then finds what the first try has done.
    let turn = turn::take("seal", chosen.credential.id).await;
    let mut batch = items::batch_of(app, caller, &asked).await?;
    batch.keep_authorised(&chosen);
    if batch.items.is_empty() {
        return Ok(only(batch.problems));
    }
    let record = redeem(app, caller, command, &asked, &batch).await?;
    trace::authorise(app, caller, &batch, &chosen.credential, &office, &record).await?;
    // From here on a caller who hangs up must not stop the work between the key's answer and its storing.
    let work = {
        let (app, caller) = (Arc::clone(app), caller.clone());
        let (items, confirmation_id) = (batch.items.clone(), asked.confirmation_id);
        async move {
            let _turn = turn;
            sign(&app, &caller, chosen, &items, confirmation_id).await
        }
    };
    app.tasks
        .spawn(work.in_current_span())
        .await
        .map_err(|_| AppError::WorkLost)??;
    let ids: Vec<Uuid> = batch.items.iter().map(|item| item.id).collect();
    finish(app, ids.clone()).await;
    Ok(SealedIssued {
        documents: in_order(app, &ids).await?,
        problems: batch.problems,
    })
}

fn only(problems: Vec<IssuedProblem>) -> SealedIssued {
    SealedIssued {
        documents: Vec::new(),
        problems,
    }
}

/// Uses the confirmation up. Bound to this request id: the same call repeated gets the same record, another call none. It covers
/// every document asked for, also those that are no longer to be sealed: their owner may have withdrawn one meanwhile.
async fn redeem(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: &SealIssued,
    batch: &Batch,
) -> Result<ConfirmationRecord, AppError> {
    let parts = [
        command.request_id.as_bytes().as_slice(),
        asked.confirmation_id.as_bytes().as_slice(),
    ];
    let redemption = Redemption {
        request_id: authorise::derived_request_id("seal-issued", &parts),
        confirmation_id: asked.confirmation_id,
        person_id: caller.person_id,
        purpose: Purpose::Seal,
        hashes: batch.digests.iter().map(|(_, digest)| *digest).collect(),
    };
    Ok(app.identity.redeem(redemption).await?)
}

/// Has the key sign what it has not signed yet, checks its answers and stores them.
async fn sign(
    app: &App,
    caller: &Caller,
    chosen: Chosen,
    items: &[Item],
    confirmation_id: Uuid,
) -> Result<(), AppError> {
    let pending: Vec<Item> = items.iter().filter(|item| !item.signed).copied().collect();
    if pending.is_empty() {
        return Ok(());
    }
    let credential = chosen.credential;
    let chain = Chain::of(&credential).map_err(AppError::SealCrypto)?;
    let messages = pending
        .iter()
        .map(|item| chain.to_be_signed(&item.digest))
        .collect();
    let started = Instant::now();
    match app.keys.sign(&credential.key, chosen.pin, messages).await {
        Ok(values) => {
            metrics::histogram!("signing_seconds", "backend" => "pkcs11")
                .record(started.elapsed().as_secs_f64());
            store_values(app, &credential, &chain, &pending, values, confirmation_id).await
        }
        Err(error) => {
            trace::refused_by_key(app, caller, confirmation_id, &pending, error.clone().into()).await?;
            Err(match chosen.officer_s_pin {
                true => error.into(),
                false => credential::not_to_the_officer(error),
            })
        }
    }
}

/// Checks each value against the certificate and the confirmed digest, then stores all in one transaction.
async fn store_values(
    app: &App,
    credential: &Credential,
    chain: &Chain,
    items: &[Item],
    values: Vec<Vec<u8>>,
    confirmation_id: Uuid,
) -> Result<(), AppError> {
    let now = app.ambient.now();
    let mut checked = Vec::with_capacity(items.len());
    for (item, signature_value) in items.iter().zip(values) {
        chain.check(&item.digest, &signature_value).map_err(mismatch)?;
        checked.push(Value {
            id: item.id,
            signature_value,
        });
    }
    let mut transaction = app.pool.begin().await?;
    issued_documents::save_signed(
        &mut transaction,
        confirmation_id,
        credential.id,
        checked,
        now,
        now + finish_issued::FIRST_RETRY,
    )
    .await?;
    transaction.commit().await?;
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

/// Finishes what is signed, as long as the caller can be kept waiting. What is not done then goes on without the caller, or is
/// finished by the job.
async fn finish(app: &Arc<App>, ids: Vec<Uuid>) {
    let left = CallContext::current().map_or(LONGEST_WAIT, |call| call.remaining());
    let patience = left.saturating_sub(TIME_TO_ANSWER).min(LONGEST_WAIT);
    let work = {
        let app = Arc::clone(app);
        async move { finish_issued::finish_all(&app, &ids).await }
    };
    let finishing = app.tasks.spawn(work.in_current_span());
    if tokio::time::timeout(patience, finishing).await.is_err() {
        tracing::info!(
            event = "issued.finishing_goes_on",
            "a batch is still being finished when its call is answered"
        );
    }
}

/// The documents that this act has signed, as they stand now.
async fn in_order(app: &App, ids: &[Uuid]) -> Result<Vec<IssuedDocument>, AppError> {
    let mut conn = app.pool.acquire().await?;
    let found = issued_documents::find_all(&mut conn, ids).await?;
    let mut by_id: HashMap<Uuid, IssuedDocument> = found
        .into_iter()
        .map(|document| (document.id, document))
        .collect();
    let ordered = ids.iter().filter_map(|id| by_id.remove(id));
    Ok(ordered.filter(|document| document.signed().is_some()).collect())
}
