//! The officer seals: a confirmation of exactly these digests, the PIN, one log-in for the batch.

mod items;
mod trace;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use secrecy::SecretString;
use tracing::Instrument;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::authorise_seals::check_request_id;
use crate::app::seal_crypto::{Chain, SealCryptoError};
use crate::app::seal_problem::SealProblem;
use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, authorise, finish_seal, revocation, turn};
use crate::clients::identity::{ConfirmationRecord, Purpose, Redemption};
use crate::domain::credential::Credential;
use crate::domain::intent::Signed;
use crate::domain::role::OFFICER;
use crate::store::{intents, requests};
use items::{Item, items_of};
use trace::{authorise_items, refused_by_key};

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

/// Seals authorised intents. AWAITING_SIGNATURE → SEALED → DELIVERED, or waiting for the time-stamp.
///
/// The confirmation is used up for this request id before the key is touched. A repeat with the same id continues where the
/// first try ended, with the same confirmation, also with the right PIN after a wrong one, which leaves but a trace. Another
/// request id needs another confirmation.
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
    revocation::check_credential(app, &credential).await?;
    // One act at a time with a key; a repeat then finds what the first try has done.
    let turn = turn::take("seal", credential.id).await;
    let (problems, items, _) = items_of(app, caller, &asked).await?;
    if items.is_empty() {
        return Ok(Sealed {
            requests: Vec::new(),
            problems,
        });
    }
    let record = redeem(app, caller, command, &asked, &items).await?;
    authorise_items(app, caller, &items, &record).await?;
    // From here on a caller who hangs up must not stop the work between the key's answer and its storing.
    let tasks = app.tasks.clone();
    let (app, caller) = (Arc::clone(app), caller.clone());
    let work = async move {
        let _turn = turn;
        sign(&app, &caller, &credential, &items, asked).await?;
        finish_all(&app, &items).await;
        views(&app, &items).await
    };
    let requests = tasks
        .spawn(work.in_current_span())
        .await
        .map_err(|_| AppError::WorkLost)??;
    Ok(Sealed { requests, problems })
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
        // Not saved where another try of this act was faster, whose value stands, or where the intent was annulled meanwhile:
        // then this value is dropped.
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
